"""Periodic jobs: asked for once per slot and tenant, whoever asks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.workers.rig import Rig
from workers.scheduler import Scheduler

NIGHT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
"""The shop counts its stock at 02:30; its tenants' clocks show UTC."""


@pytest.fixture
def schedulers(rig: Rig) -> list[Scheduler]:
    return [
        Scheduler(tenants=rig.directory, databases=rig.databases, registry=rig.plan.registry)
        for _ in range(3)
    ]


async def asked(rig: Rig) -> int:
    rows = await rig.fetch("SELECT 1 FROM outbox.messages WHERE actor = 'shop.count_stock'")
    return len(rows)


async def all_at(schedulers: list[Scheduler], moment: datetime) -> None:
    await asyncio.gather(*(each.once(moment) for each in schedulers))


async def test_several_schedulers_ask_once_for_every_tenant_and_slot(
    rig: Rig, schedulers: list[Scheduler]
) -> None:
    """Three of them, at the same moment, over pooled and dedicated tenants, for three days."""
    await all_at(schedulers, NIGHT)
    assert (
        await asked(rig) == 0
    )  # first seen: begin with the next slot, do not make up for old ones
    for day in range(3):
        for minutes in (29, 30, 31, 90):
            await all_at(schedulers, NIGHT + timedelta(days=day, minutes=minutes))
    assert await asked(rig) == 3 * len(rig.plan.tenants)


async def test_after_a_pause_only_the_last_missed_slot_is_made_up(
    rig: Rig, schedulers: list[Scheduler]
) -> None:
    """A week without scheduler ends in one run, not in seven."""
    await schedulers[0].once(NIGHT)
    await schedulers[1].once(NIGHT + timedelta(days=7))
    assert await asked(rig) == len(rig.plan.tenants)


async def test_a_tenants_turn_comes_by_its_own_clock(rig: Rig, schedulers: list[Scheduler]) -> None:
    """02:30 in Lisbon is 01:30 UTC in summer."""
    anna, *others = rig.plan.tenants
    rig.directory.change(anna, zone="Europe/Lisbon")
    await schedulers[0].once(NIGHT - timedelta(hours=1))
    await schedulers[0].once(NIGHT - timedelta(minutes=29))
    rows = await rig.fetch("SELECT tenant FROM outbox.messages")
    assert [row["tenant"] for row in rows] == [anna.id]
    assert others


async def test_suspended_tenants_and_disabled_plugins_have_no_turn(
    rig: Rig, schedulers: list[Scheduler]
) -> None:
    """Nothing is asked for on behalf of who may not be served."""
    anna, bert, dora = rig.plan.tenants
    await schedulers[0].once(NIGHT)
    rig.directory.change(anna, status="suspended")
    rig.directory.change(bert, plugins=frozenset())
    await schedulers[0].once(NIGHT + timedelta(hours=1))
    rows = await rig.fetch("SELECT tenant FROM outbox.messages")
    assert [row["tenant"] for row in rows] == [dora.id]


async def test_one_tenants_trouble_holds_up_nobody_and_is_tried_again(
    rig: Rig, schedulers: list[Scheduler]
) -> None:
    """A broken schema costs its own tenant a tick, not the others their night."""
    anna = rig.plan.tenants[0]
    await schedulers[0].once(NIGHT)
    main = rig.administrators[0]
    await main.execute(f"ALTER TABLE {anna.scope.name}.schedule_runs RENAME TO broken")
    try:
        await schedulers[0].once(NIGHT + timedelta(minutes=31))
        assert await asked(rig) == 2
    finally:
        await main.execute(f"ALTER TABLE {anna.scope.name}.broken RENAME TO schedule_runs")
    await schedulers[0].once(NIGHT + timedelta(minutes=32))
    assert await asked(rig) == 3


async def test_a_tenant_in_no_zone_stops_no_clock_but_its_own(
    rig: Rig, schedulers: list[Scheduler]
) -> None:
    """What no database error explains costs one tenant its turn, not the process its life."""
    await schedulers[0].once(NIGHT)
    rig.directory.change(rig.plan.tenants[0], zone="Nowhere/At_All")
    await schedulers[0].once(NIGHT + timedelta(minutes=31))
    assert await asked(rig) == 2
