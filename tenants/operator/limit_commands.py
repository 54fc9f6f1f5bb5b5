"""``atrium tenants limits`` and ``limit``: how much a tenant may have."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from core.part import core
from core.plugin import Plugins
from core.quotas import Limit
from tenants import limits as granting
from tenants.working import id_of, tenants, with_workshop
from tenants.workshop import Workshop


@tenants.command()
@click.argument("slug")
def limits(slug: str) -> None:
    """What a tenant was granted, beside what is declared."""

    async def work(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            granted = await granting.granted(session, await id_of(session, slug))
        for name, limit in _declared(shop).items():
            mine = granted.get(name)
            number = mine.allowed if mine else limit.allowed
            why = f"{mine.reason}, until {mine.until or 'withdrawn'}" if mine else "declared"
            click.echo(f"{name:<28} {'any' if number is None else number:>12}  {why}")

    with_workshop(work)


@tenants.command()
@click.argument("slug")
@click.argument("name")
@click.option("--allowed", type=int, help="How many; without it any number.")
@click.option("--reason", default="", help="Why; it is kept in the audit log.")
@click.option("--until", type=click.DateTime(), help="The last moment, in UTC.")
@click.option("--withdraw", is_flag=True, help="Let what is declared hold again.")
def limit(
    slug: str, name: str, allowed: int | None, reason: str, until: datetime | None, withdraw: bool
) -> None:
    """Grant a tenant another number of NAME than is declared."""
    end = until.replace(tzinfo=UTC) if until else None

    async def work(shop: Workshop) -> None:
        known = _declared(shop)
        if name not in known:
            raise click.ClickException(f"there is no limit {name}; there are {', '.join(known)}")
        async with shop.databases.transaction(shop.platform) as session:
            tenant_id = await id_of(session, slug)
            if withdraw:
                await granting.withdraw(session, shop.signals, tenant_id, known[name])
            else:
                await granting.grant(
                    session, shop.signals, tenant_id, known[name], allowed, reason, end
                )

    with_workshop(work)


def _declared(shop: Workshop) -> dict[str, Limit]:
    return granting.declared(Plugins({"core": core}), shop.plugins)
