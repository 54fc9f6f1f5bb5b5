"""More of ``atrium tenants …``: found, looked at, ordered and written about."""

from __future__ import annotations

import click
import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import mail
from tenants.operator.plugin import plugin as operator
from tenants.operator.routes.views import OperatedTenant
from tenants.operator.services import acts, notes
from tenants.operator.services import tenants as looking
from tenants.operator.services.acts import Wanted
from tenants.operator.services.tenants import TenantFilter
from tenants.working import id_of, tenants, with_workshop
from tenants.workshop import Workshop


@tenants.command()
@click.argument("text", default="")
@click.option("--status", default="", help="provisioning, active, suspended, closed or deleting.")
@click.option("--hosting", default="", help="pooled or dedicated.")
@click.option("--database", default="", help="Its name in the catalogue.")
@click.option("--plugin", default="", help="One that is enabled.")
def find(text: str, status: str, hosting: str, database: str, plugin: str) -> None:
    """The newest tenants whose name, address, hosts or owners have TEXT."""
    wanted = TenantFilter(
        text=text, status=status, hosting=hosting, database=database, product=plugin
    )

    async def work(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            found = await looking.find(session, wanted)
        for seen in found[: looking.PAGE_SIZE]:
            record = seen.record
            click.echo(f"{record.id}  {record.slug:<30} {record.status:<13} {record.name}")
        if len(found) > looking.PAGE_SIZE:
            click.echo("There are more.")

    with_workshop(work)


@tenants.command()
@click.argument("slug")
def show(slug: str) -> None:
    """All that is known of a tenant, as the API says it."""

    async def work(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            seen = await looking.one(session, await id_of(session, slug))
        said = msgspec.json.encode(OperatedTenant.of(seen, shop.settings))
        click.echo(msgspec.json.format(said, indent=2).decode())

    with_workshop(work)


@tenants.command()
@click.argument("slug")
@click.option("--name", required=True, help="Of the business.")
@click.option("--owner", required=True, help="The owner's e-mail address.")
@click.option("--owner-name", required=True)
@click.option("--zone", default="UTC", show_default=True, help="An IANA time zone.")
@click.option("--currency", default="EUR", show_default=True)
@click.option("--locale", default="en", show_default=True)
@click.option("--country", help="Two letters.")
@click.option("--plugin", "plugins", multiple=True, help="May be given several times.")
@click.option("--database", help="Its own one, by its name in the catalogue.")
def create(slug: str, name: str, owner: str, owner_name: str, plugins: tuple[str, ...],
           database: str | None, **chosen: str) -> None:  # fmt: skip
    """Order a tenant; a worker makes it."""

    async def work(shop: Workshop) -> None:
        if absent := set(plugins) - set(shop.plugins.working):
            raise click.ClickException(f"there is no working plugin {', '.join(sorted(absent))}")
        mail.install(
            shop.settings,
            [each.folder / "templates" for each in (operator, *shop.plugins)],
        )
        wanted = Wanted(
            slug=slug,
            name=name,
            owner_email=owner,
            owner_name=owner_name,
            plugins=tuple(sorted(set(plugins))),
            database=database,
            hosting="dedicated" if database else "pooled",
            zone=chosen["zone"],
            currency=chosen["currency"],
            locale=chosen["locale"],
            country=chosen["country"],
        )
        async with shop.databases.transaction(shop.platform) as session:
            ordered = await acts.create(session, shop.settings, wanted)
        click.echo(f"{ordered.tenant_id} is being made")

    with_workshop(work)


@tenants.command()
@click.argument("slug")
@click.argument("text")
def note(slug: str, text: str) -> None:
    """Write something down about a tenant, for other operators."""

    async def work(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            await _note(session, slug, text)

    with_workshop(work)


async def _note(session: AsyncSession, slug: str, text: str) -> None:
    await notes.add(session, await id_of(session, slug), text)
