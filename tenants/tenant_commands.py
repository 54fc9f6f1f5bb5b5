"""``atrium tenants …``: what an operator does with one tenant."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from uuid import UUID

import click
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import from_wall
from core.settings import Settings
from core.signals import Signals
from tenants.lifecycle import closing, naming, products, serving
from tenants.models import MAIN_DATABASE, TenantPlugin, TenantRecord
from tenants.working import change, tenants, with_workshop
from tenants.workshop import Workshop


@tenants.command("list")
def list_tenants() -> None:
    """Every tenant, with its status, database and products."""

    async def work(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            rows = (await session.execute(_LISTED)).all()
        for slug, status, database, plugins in rows:
            click.echo(f"{slug:<30} {status:<13} {database or MAIN_DATABASE:<12} {plugins or '-'}")
        click.echo(str(dict(Counter(row.status for row in rows))))

    with_workshop(work)


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
@click.option("--reason", default="", help="Shown to its owners in the portal.")
def suspend(slug: str, reason: str) -> None:
    """Stop serving a tenant; nothing of it is lost."""

    async def stop(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
        await serving.suspend(session, signals, tenant_id, reason)

    change(slug, stop)


@tenants.command()
@click.argument("slug")
def resume(slug: str) -> None:
    """Serve a suspended tenant again."""
    change(slug, serving.resume)


@tenants.command()
@click.argument("slug")
@click.option("--message", default="", help="What customers read.")
@click.option("--until", type=click.DateTime(), help="The planned end, by the tenant's clocks.")
@click.option("--end", is_flag=True, help="Let customers in again.")
def maintenance(slug: str, message: str, until: datetime | None, end: bool) -> None:
    """Let a tenant's customers wait while its staff goes on working."""

    async def plan(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
        if end:
            await serving.end_maintenance(session, signals, tenant_id)
            return
        tenant = await session.get_one(TenantRecord, tenant_id)
        ends = from_wall(until, tenant.zone) if until is not None else None
        await serving.begin_maintenance(session, signals, tenant_id, message, ends)

    change(slug, plan)


@tenants.command()
@click.argument("slug")
@click.argument("new_slug")
@click.confirmation_option(prompt="Everybody there will have to sign in again. Go on?")
def rename(slug: str, new_slug: str) -> None:
    """Move a tenant to another subdomain; the old one redirects there for 90 days."""

    async def move(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
        await naming.rename(session, signals, tenant_id, new_slug)

    change(slug, move)


@tenants.command()
@click.argument("slug")
@click.argument("plugin")
def enable(slug: str, plugin: str) -> None:
    """Give a tenant a product; a worker sets it up."""

    async def give(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
        await products.enable_plugin(session, signals, tenant_id, plugin)

    change(slug, give, needs=[plugin])


@tenants.command()
@click.argument("slug")
@click.argument("plugin")
def disable(slug: str, plugin: str) -> None:
    """Take a product away from a tenant; its data stays."""

    async def take(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
        await products.disable_plugin(session, signals, tenant_id, plugin)

    change(slug, take)


@tenants.command()
@click.argument("slug")
@click.confirmation_option(prompt="Nobody will be served there any more. Go on?")
def close(slug: str) -> None:
    """Close a tenant; it is deleted when its days of grace are over."""

    async def end(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
        ends = await closing.close(session, signals, Settings.from_environment(), tenant_id)
        click.echo(f"It will be deleted after {ends.isoformat(timespec='minutes')}.")

    change(slug, end)


@tenants.command()
@click.argument("slug")
def reopen(slug: str) -> None:
    """Undo the closing of a tenant."""

    async def undo(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
        await closing.reopen(session, signals, Settings.from_environment(), tenant_id)

    change(slug, undo)


@tenants.command()
@click.argument("slug")
@click.option("--confirm", prompt="There is no way back. Type the address to confirm")
def delete(slug: str, confirm: str) -> None:
    """Delete a closed tenant now, or one whose making never ended; a worker does it."""
    if confirm != slug:
        raise click.ClickException("that is not its address; nothing was done")
    change(slug, closing.delete)
