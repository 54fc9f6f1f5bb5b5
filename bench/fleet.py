"""A fleet of a thousand tenants, made quickly: the compiled script replayed in parallel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import insert

from atrium.testing.world import World
from core.ids import new_id
from core.scope import scope_name
from tenants.migration.migrate import Plan, migrate
from tenants.migration.replay import Target, replay
from tenants.models import TenantPlugin, TenantRecord
from tenants.scopes import connected, make_role, make_schema

TENANTS: Final = 1_000
AT_ONCE: Final = 4


async def fleet(world: World, count: int = TENANTS) -> tuple[list[UUID], float]:
    """``count`` pooled tenants of all products, without people; and the seconds it took."""
    begun = time.perf_counter()
    ids = sorted(new_id() for _ in range(count))
    await _enter(world, ids)
    waiting = list(ids)

    async def make() -> None:
        async with connected(world.settings.provisioner_url) as connection:
            while waiting:
                name = scope_name(waiting.pop())
                await make_role(connection, name)
                await make_schema(connection, name)

    await asyncio.gather(*(make() for _ in range(AT_ONCE)))
    lines = world.lines.of_tenant(world.plugins.working)
    targets = [Target(each, scope_name(each), lines) for each in ids]
    outcomes = await replay(world.settings.provisioner_url, targets, AT_ONCE)
    assert not [each for each in outcomes if each.error]
    await migrate(
        world.settings, world.databases, world.lines, world.signals, Plan(connections=AT_ONCE)
    )
    return ids, time.perf_counter() - begun


async def _enter(world: World, ids: Sequence[UUID]) -> None:
    records = [
        {
            "id": each,
            "slug": f"t-{each.hex}",
            "look": f"t-{each.hex}",
            "name": each.hex,
            "status": "active",
            "zone": "Europe/Lisbon",
            "currency": "EUR",
        }
        for each in ids
    ]
    products = [
        {"tenant_id": each, "plugin": name, "state": "enabled"}
        for each in ids
        for name in world.plugins.working
    ]
    async with world.databases.transaction(world.platform) as session:
        await session.execute(insert(TenantRecord), records)
        await session.execute(insert(TenantPlugin), products)
