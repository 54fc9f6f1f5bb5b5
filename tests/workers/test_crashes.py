"""Real processes, killed at random, and Redis flushed: every effect happens exactly once."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from core.outbox import Envelope
from tests.workers import shop
from tests.workers.rig import Rig, eventually
from tests.workers.troupe import Troupe
from workers.broker import make_broker, ring

_SOME = "SELECT id, tenant, actor, trace, sends FROM outbox.messages ORDER BY random() LIMIT 15"
ROLES = ("worker", "relay", "web")


async def kill_at_random(company: Troupe, rig: Rig, kills: int) -> None:
    """Kill each of the three up to ``kills`` times, and once, in the middle, flush Redis."""
    async with Redis.from_url(rig.plan.redis_url) as redis:
        for turn in itertools.count():
            await asyncio.sleep(0.2 + random.random())
            if turn == 3:
                await redis.flushdb()
            left = [role for role in ROLES if company.kills[role] < kills and company.runs(role)]
            if not left:
                return
            if at_work := [role for role in left if company.at_work(role)]:
                company.restart(min(at_work, key=lambda role: turn_of(company, role)))
            await ring_again(rig)


def turn_of(company: Troupe, role: str) -> tuple[int, bool, float]:
    """Who was killed least comes first, the web before others: it alone comes to an end."""
    return company.kills[role], role != "web", random.random()


async def ring_again(rig: Rig) -> None:
    """Ring for messages at random, most of them done long ago."""
    broker = make_broker(rig.plan.redis_url)
    for row in await rig.fetch(_SOME):
        ring(broker, "default", Envelope(*row), "")
    broker.close()


async def check_once(rig: Rig, jobs: int) -> None:
    """Every job asked for left its effect once, and each sale was noted once."""
    asked_in_all = 0
    for tenant in rig.plan.tenants:
        effects = Counter(await rig.effects(tenant))
        assert set(effects.values()) == {1}, {k: v for k, v in effects.items() if v > 1}
        async with rig.databases.transaction(tenant) as session:
            rows = await session.execute(text("SELECT number FROM asked"))
            asked = sorted(rows.scalars())
        assert len(asked) == len(set(asked))
        done = sorted(number for (actor, number) in effects if actor != "shop.note")
        assert done == asked
        announced = sorted(n for (actor, n) in effects if actor == "shop.announce")
        noted = sorted(n for (actor, n) in effects if actor == "shop.note")
        assert noted == announced
        asked_in_all += len(asked)
    assert asked_in_all >= jobs


@pytest.mark.parametrize(
    ("jobs", "kills"), [(120, 2), pytest.param(1000, 12, marks=pytest.mark.long)]
)
async def test_every_effect_happens_exactly_once(
    rig: Rig, tmp_path: Path, jobs: int, kills: int
) -> None:
    """kill -9 of worker, relay and web in any order, and a Redis that forgot everything."""
    (tmp_path / "plan.json").write_bytes(rig.plan.dump())
    company = Troupe(tmp_path, jobs)
    try:
        for role in ROLES:
            company.start(role)
        await kill_at_random(company, rig, kills)

        async def all_done() -> bool:
            pending = await rig.fetch("SELECT 1 FROM outbox.messages WHERE state <> 'done'")
            return not company.runs("web") and not pending

        await eventually(all_done, within=60 + jobs / 5)
        assert min(company.kills[role] for role in ROLES) >= 1
    finally:
        company.stop()
    await check_once(rig, jobs)


async def test_a_job_that_kills_its_worker_each_time_becomes_a_dead_letter(
    rig: Rig, tmp_path: Path
) -> None:
    """It is given up after its attempts, says why, and the jobs beside it are done once."""
    tenant = rig.plan.tenants[0]
    async with rig.databases.transaction(tenant) as session:
        await shop.collapse.enqueue(session, number=1)
        await shop.sell.enqueue(session, number=2)
    (tmp_path / "plan.json").write_bytes(rig.plan.dump())
    company = Troupe(tmp_path, 0)

    async def settled() -> bool:
        if not company.alive("worker"):
            company.restart("worker")
        states = await rig.fetch("SELECT 1 FROM outbox.messages WHERE state = 'pending'")
        return not states

    try:
        for role in ("worker", "relay"):
            company.start(role)
        await eventually(settled, within=60)
    finally:
        company.stop()
    row = await rig.message("shop.collapse")
    assert (row["state"], row["attempt"]) == ("dead", 3)
    assert row["error"] == "WorkerDied: nothing was heard of attempt 3 of 3"
    assert await rig.effects(tenant) == [("shop.sell", 2)]
