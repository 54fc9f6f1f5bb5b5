"""Real processes, killed at random, and Redis flushed: every effect happens exactly once."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from tests.workers.rig import Rig, eventually

ROOT = Path(__file__).parents[2]
ROLES = ("worker", "relay", "web")


class Troupe:
    """Processes by role, each with a file that says that it is at work."""

    def __init__(self, plan: Path) -> None:
        self._plan = plan
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self.kills: Counter[str] = Counter()

    async def start(self, role: str, *args: str) -> asyncio.subprocess.Process:
        at_work = self._plan.with_name(f"{role}.at_work")
        at_work.unlink(missing_ok=True)
        with self._plan.with_name(f"{role}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.workers.processes",
                role, str(self._plan), str(at_work), *args,
                cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        self._running[role] = process
        return process

    def runs(self, role: str) -> bool:
        """Whether it has not come to its end."""
        return self._running[role].returncode != 0

    def at_work(self, role: str) -> bool:
        """Whether it has begun to work: only then is there something to interrupt."""
        begun = self._plan.with_name(f"{role}.at_work").exists()
        return begun and self._running[role].returncode is None

    async def kill(self, role: str) -> None:
        process = self._running[role]
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            self.kills[role] += 1
        await process.wait()

    async def stop(self) -> None:
        for role in list(self._running):
            await self.kill(role)


@asynccontextmanager
async def troupe(rig: Rig, folder: Path) -> AsyncIterator[Troupe]:
    plan = folder / "plan.json"
    plan.write_bytes(rig.plan.dump())
    company = Troupe(plan)
    try:
        yield company
    finally:
        await company.stop()


async def web_until_done(company: Troupe, jobs: int) -> None:
    """Ask for all jobs, whatever happens to the process that asks."""
    while True:
        process = await company.start("web", str(jobs))
        if await process.wait() == 0:
            return


async def kill_at_random(company: Troupe, redis_url: str, kills: int) -> None:
    """Kill each of the three up to ``kills`` times, and once, in the middle, flush Redis."""
    async with Redis.from_url(redis_url) as redis:
        for turn in itertools.count():
            await asyncio.sleep(0.2 + random.random())
            if turn == 3:
                await redis.flushdb()
            left = [role for role in ROLES if company.kills[role] < kills and company.runs(role)]
            if not left:
                return
            at_work = [role for role in left if company.at_work(role)]
            if not at_work:
                continue
            victim = random.choice(at_work)
            await company.kill(victim)
            if victim != "web":  # the asking loop starts its own again
                await company.start(victim)


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
    rig: Rig, redis_url: str, tmp_path: Path, jobs: int, kills: int
) -> None:
    """kill -9 of worker, relay and web in any order, and a Redis that forgot everything."""
    async with troupe(rig, tmp_path) as company:
        await company.start("worker")
        await company.start("relay")
        async with asyncio.timeout(400), asyncio.TaskGroup() as under_way:
            under_way.create_task(web_until_done(company, jobs))
            under_way.create_task(kill_at_random(company, redis_url, kills))

        async def all_done() -> bool:
            return not await rig.fetch("SELECT 1 FROM outbox.messages WHERE state <> 'done'")

        await eventually(all_done, within=90)
        await check_once(rig, jobs)
        assert min(company.kills[role] for role in ROLES) >= 1
