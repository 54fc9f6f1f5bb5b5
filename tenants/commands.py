"""The parts of the ``atrium`` command that make and look after tenants."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from uuid import UUID

import asyncpg
import click
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from core.crypto import create_master_key_file
from core.errors import DomainError
from core.settings import Settings
from core.signals import Signals
from core.telemetry.setup import set_up, shut_down
from tenants import lifecycle, seeding
from tenants.bootstrap import Passwords
from tenants.bootstrap import bootstrap as prepare_database
from tenants.installed import installed
from tenants.migration.migrate import migrate as bring_up
from tenants.migration.replay import CONNECTIONS, Outcome
from tenants.models import MAIN_DATABASE, TenantPlugin, TenantRecord
from tenants.workshop import Workshop, workshop


@click.command()
@click.option(
    "--superuser-url",
    envvar="ATRIUM_SUPERUSER_URL",
    required=True,
    help="The database to prepare, as its administrator.",
)
@click.option("--own", is_flag=True, help="The database is for one tenant alone.")
def bootstrap(superuser_url: str, own: bool) -> None:
    """Prepare a database: roles, schemas, extensions, outbox. Can be repeated.

    In development the demo's second database is made and prepared as well.
    """
    settings = Settings.from_environment()
    asyncio.run(_bootstrap(settings, superuser_url, own=own))
    if settings.development:
        create_master_key_file(settings.master_key_file)


async def _bootstrap(settings: Settings, superuser_url: str, *, own: bool) -> None:
    extensions = {name for plugin in installed() for name in plugin.extensions}
    passwords = Passwords(
        provisioner=make_url(settings.provisioner_url).password or "",
        app=make_url(settings.database_url).password or "",
        relay=make_url(settings.relay_url).password or "",
    )
    await prepare_database(superuser_url, passwords, extensions=extensions, serves_pooled=not own)
    if settings.development:
        second = await _demo_database(superuser_url)
        await prepare_database(second, passwords, extensions=extensions, serves_pooled=False)


async def _demo_database(superuser_url: str) -> str:
    name = seeding.own_database(superuser_url)
    connection = await asyncpg.connect(superuser_url)
    try:
        quoted = await connection.fetchval("SELECT quote_ident($1)", name)
        await connection.execute(f"CREATE DATABASE {quoted} TEMPLATE template0")
    except asyncpg.DuplicateDatabaseError:
        pass
    finally:
        await connection.close()
    return make_url(superuser_url).set(database=name).render_as_string(hide_password=False)


@click.command()
@click.option("--connections", default=CONNECTIONS, show_default=True, help="Per database.")
def migrate(connections: int) -> None:
    """Bring every scope of every database to the newest revision of its lines.

    It may be killed and run again. A tenant that fails is named and holds up nobody else.
    """

    async def work(shop: Workshop) -> None:
        outcomes = await bring_up(
            shop.settings, shop.databases, shop.lines, connections=connections
        )
        _report(outcomes)

    _with_workshop(work)


def _report(outcomes: Sequence[Outcome]) -> None:
    moved = sum(outcome.applied > 0 for outcome in outcomes)
    scopes = len({outcome.tenant_id for outcome in outcomes})
    failed = [outcome for outcome in outcomes if outcome.error]
    click.echo(f"{scopes} tenants looked at, {moved} lines brought up, {len(failed)} failed")
    for outcome in failed:
        click.echo(f"  {outcome.tenant_id} {outcome.line}: {outcome.error}", err=True)
    if failed:
        raise SystemExit(1)


@click.command()
def seed() -> None:
    """Make the demo's tenants with believable data, as far as they are missing."""
    _with_workshop(seeding.seed)


@click.group()
def tenants() -> None:
    """List tenants, suspend and resume them, give and take products."""


@tenants.command("list")
def list_tenants() -> None:
    """Every tenant, with its status, database and products."""

    async def work(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            rows = (await session.execute(_LISTED)).all()
        for slug, status, database, plugins in rows:
            click.echo(f"{slug:<30} {status:<13} {database or MAIN_DATABASE:<12} {plugins or '-'}")
        click.echo(str(dict(Counter(row.status for row in rows))))

    _with_workshop(work)


_LISTED = select(
    TenantRecord.slug,
    TenantRecord.status,
    TenantRecord.database,
    select(func.string_agg(TenantPlugin.plugin, ", "))
    .where(TenantPlugin.tenant_id == TenantRecord.id, TenantPlugin.state == "enabled")
    .scalar_subquery(),
).order_by(TenantRecord.slug)


@tenants.command()
@click.argument("slug")
def suspend(slug: str) -> None:
    """Stop serving a tenant; nothing of it is lost."""
    _change(slug, lifecycle.suspend)


@tenants.command()
@click.argument("slug")
def resume(slug: str) -> None:
    """Serve a suspended tenant again."""
    _change(slug, lifecycle.resume)


@tenants.command()
@click.argument("slug")
@click.argument("plugin")
def enable(slug: str, plugin: str) -> None:
    """Give a tenant a product; a worker sets it up."""

    async def give(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
        await lifecycle.enable_plugin(session, signals, tenant_id, plugin)

    _change(slug, give, needs=[plugin])


@tenants.command()
@click.argument("slug")
@click.argument("plugin")
def disable(slug: str, plugin: str) -> None:
    """Take a product away from a tenant; its data stays."""

    async def take(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
        await lifecycle.disable_plugin(session, signals, tenant_id, plugin)

    _change(slug, take)


def _change(
    slug: str,
    change: Callable[[AsyncSession, Signals, UUID], Awaitable[None]],
    needs: Iterable[str] = (),
) -> None:
    async def work(shop: Workshop) -> None:
        if absent := [name for name in needs if name not in shop.plugins.working]:
            raise click.ClickException(f"there is no working plugin {', '.join(absent)}")
        async with shop.databases.transaction(shop.platform) as session:
            tenant_id = await session.scalar(
                select(TenantRecord.id).where(TenantRecord.slug == slug)
            )
            if tenant_id is None:
                raise click.ClickException(f"there is no tenant {slug}")
            await change(session, shop.signals, tenant_id)

    _with_workshop(work)


def _with_workshop(work: Callable[[Workshop], Awaitable[None]]) -> None:
    settings = Settings.from_environment()
    set_up(settings, "command")

    async def run() -> None:
        async with workshop(settings) as shop:
            await work(shop)

    try:
        asyncio.run(run())
    except DomainError as problem:
        raise click.ClickException(str(problem)) from problem
    finally:
        shut_down()
