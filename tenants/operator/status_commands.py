"""``atrium health`` and ``atrium schedules``: what the console shows of the installation."""

from __future__ import annotations

import click
from redis.asyncio import Redis

from core.part import core
from core.scope import TENANT_ZERO
from tenants.catalogue import find
from tenants.databases import platform
from tenants.models import TenantRecord
from tenants.operator.services import health as checks
from tenants.operator.services import schedules as periodic
from tenants.roster import Roster
from tenants.working import id_of, with_workshop
from tenants.workshop import Workshop


@click.command()
def health() -> None:
    """What lives, what answers and what waits; the exit code is 1 if something needs you."""
    with_workshop(_health)


async def _health(shop: Workshop) -> None:
    actors = [each for part in (core, *shop.plugins) for each in part.actors]
    redis = Redis.from_url(shop.settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    try:
        queues = {"default", *(each.queue for each in actors)}
        found = await checks.look(Roster(shop.settings, shop.databases), redis, queues)
    finally:
        await redis.aclose()
    for sign in found.signs:
        state = "missed" if sign.is_missed else "lives"
        click.echo(f"{sign.process:<10} {sign.host} {sign.pid:<8} {state}  {dict(sign.breakers)}")
    for kind in found.missing:
        click.echo(f"{kind:<10} none is known to live")
    for each in found.databases:
        said = f"{each.answer.waiting}" if each.answer else f"away: {each.problem}"
        click.echo(f"database {each.name}: {said}")
    click.echo(f"redis: {found.redis.rung if found.redis else f'away: {found.redis_problem}'}")
    if not found.is_well:
        raise SystemExit(1)


@click.command()
@click.argument("slug", default="")
def schedules(slug: str) -> None:
    """The periodic jobs of a tenant, or of the platform: last turn, next turn, late or not."""

    async def show(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            tenant_id = await id_of(session, slug) if slug else TENANT_ZERO
            tenant = platform(shop.settings)
            if slug:
                found = await find(session, shop.settings, shop.lines, TenantRecord.id == tenant_id)
                assert found is not None
                tenant = found
            parts = (core, *shop.plugins.enabled(tenant.plugins))
            declared = [each for part in parts for each in part.schedules]
            turns = await periodic.of(session, shop.databases, tenant, declared)
        for turn in turns:
            state = "late" if turn.is_late else ""
            click.echo(f"{turn.actor:<36} {turn.cron:<16} {turn.last}  {turn.following}  {state}")

    with_workshop(show)
