"""``atrium flags …``: features that are on for some tenants."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from core.flags import Flag
from core.flags.resolution import standing
from tenants.catalogue import find
from tenants.flags import services as flags
from tenants.models import TenantRecord
from tenants.working import change, id_of, with_workshop
from tenants.workshop import Workshop


@click.group("flags")
def flags_command() -> None:
    """Say which features are on, for one tenant or for a share of all."""


@flags_command.command("list")
@click.option("--tenant", "slug", help="As they stand for this tenant, and on whose word.")
def list_flags(slug: str | None) -> None:
    """Every flag: whether it is declared on, how far it is rolled out, for how many it is set."""

    async def work(shop: Workshop) -> None:
        for line in await (_of_tenant(shop, slug) if slug else _of_all(shop)):
            click.echo(line)

    with_workshop(work)


@flags_command.command("set")
@click.argument("key")
@click.argument("slug")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--reason", required=True, help="Why; it is kept in the audit log.")
@click.option("--until", type=click.DateTime(), help="The last moment, in UTC.")
def set_flag(key: str, slug: str, state: str, reason: str, until: datetime | None) -> None:
    """Have KEY on or off for the tenant SLUG, whatever else was said."""
    end = until.replace(tzinfo=UTC) if until else None

    async def work(shop: Workshop) -> None:
        flag = _one(shop, key)
        async with shop.databases.transaction(shop.platform) as session:
            tenant_id = await id_of(session, slug)
            is_on = state == "on"
            await flags.override(session, shop.signals, tenant_id, flag, is_on, reason, end)

    with_workshop(work)


@flags_command.command()
@click.argument("key")
@click.argument("slug")
def clear(key: str, slug: str) -> None:
    """Take back what was set of KEY for the tenant SLUG."""
    change(slug, lambda session, signals, tenant_id: flags.clear(session, signals, tenant_id, key))


@flags_command.command("roll-out")
@click.argument("key")
@click.argument("percent", type=click.IntRange(0, 100), required=False)
@click.option("--end", is_flag=True, help="Let what is declared hold again.")
def roll_out(key: str, percent: int | None, end: bool) -> None:
    """Have KEY on for PERCENT of the tenants; with more, nobody loses it."""
    if end == (percent is not None):
        raise click.UsageError("say either PERCENT or --end")

    async def work(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            if percent is None:
                await flags.end_roll_out(session, shop.signals, key)
            else:
                await flags.roll_out(session, shop.signals, _one(shop, key), percent)

    with_workshop(work)


def _one(shop: Workshop, key: str) -> Flag:
    known = flags.declared(shop.plugins)
    if key not in known:
        raise click.ClickException(f"there is no flag {key}; there are {', '.join(known)}")
    return known[key]


async def _of_all(shop: Workshop) -> list[str]:
    async with shop.databases.transaction(shop.platform) as session:
        rolled, counted = await flags.roll_outs(session), await flags.counted(session)
    lines = []
    for key, flag in flags.declared(shop.plugins).items():
        share = f"{rolled[key].percent} %" if key in rolled else "-"
        default = "on" if flag.default else "off"
        told = f"{share:>5}  {counted.get(key, 0):>5}  {flag.switched_by:<8}  {flag.sunset}"
        lines.append(f"{key:<32} {default:<3}  {told}")
    return lines


async def _of_tenant(shop: Workshop, slug: str) -> list[str]:
    async with shop.databases.transaction(shop.platform) as session:
        await id_of(session, slug)
        mine = TenantRecord.slug == slug
        tenant = await find(session, shop.settings, shop.lines, mine)
    assert tenant is not None
    told = [(flag, standing(tenant, flag)) for flag in flags.declared(shop.plugins).values()]
    return [f"{flag.key:<32} {'on' if now.on else 'off':<3}  {now.why}" for flag, now in told]
