"""Jobs of quiet tenants, alone and beside one who asks for 50 times as many.

Each quiet tenant asks for two a second. The noisy one puts a pile of as many as it would ask for
in two windows of 50 times that rate, at once and right before the window while the machine is
idle: so every place that an idle machine gives away is taken when the others' first jobs come,
and there is always more of its work than can be done. What is left of the pile is discarded after
the window, and the table vacuumed before every window alike. A first such window, in which the
worker opens its connections, is not counted.

A latency lasts from asked for to done, by PostgreSQL's clock. Relay and worker are processes of
their own, in a database with tenants of the tests' shop.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg

from atrium.testing.servers import Postgres, scratch
from bench.load import quantile
from core.db import Databases
from core.scope import Database, Tenant
from tests.databases import TestDatabase
from tests.workers import processes, shop
from tests.workers.rig import Plan, eventually

QUIET: Final = 20
EVERY_SECONDS: Final = 0.5
"""A job of each quiet tenant."""
SECONDS: Final = 10.0
PAIRS: Final = 6
NOISE: Final = int(2 * 50 * SECONDS / EVERY_SECONDS)

_TOOK: Final = """
SELECT extract(epoch FROM finished_at - put_at)::float8 AS seconds
FROM outbox.messages WHERE tenant <> $1 AND state = 'done' ORDER BY 1
"""
_LEFT: Final = "SELECT count(*) FROM outbox.messages WHERE tenant <> $1 AND state <> 'done'"
_DONE: Final = "SELECT count(*) FROM outbox.messages WHERE tenant = $1 AND state = 'done'"


@dataclass(frozen=True, slots=True)
class Window:
    """Latencies of the quiet tenants' jobs in milliseconds, and what the noisy one got done."""

    p50_ms: float
    p99_ms: float
    jobs: int
    noisy_jobs: int


@dataclass(slots=True)
class Measured:
    """What came of each window, in the order of the pairs."""

    alone: list[Window] = field(default_factory=list)
    beside: list[Window] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median p99 beside the noise, to the median without."""
        beside, alone = (
            statistics.median(each.p99_ms for each in windows)
            for windows in (self.beside, self.alone)
        )
        return beside / alone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    databases: Databases
    administrator: asyncpg.Connection
    noisy: Tenant
    quiet: list[Tenant]

    async def alone(self) -> Window:
        """A window without noise."""
        await self._clear()
        return await self._window()

    async def beside(self) -> Window:
        """A window beside the pile."""
        await self._clear()
        async with self.databases.transaction(self.noisy) as session:
            for number in range(NOISE):
                await shop.sell.enqueue(session, number=number)
        window = await self._window()
        if window.noisy_jobs >= NOISE:
            raise RuntimeError("the noise ended before the window")
        return window

    async def _window(self) -> Window:
        await _ask(self.databases, self.quiet, SECONDS)
        await eventually(self._all_done, within=120)
        took = [row["seconds"] for row in await self._fetch(_TOOK)]
        noisy_jobs = (await self._fetch(_DONE))[0][0]
        return Window(quantile(took, 0.5), quantile(took, 0.99), len(took), noisy_jobs)

    async def _all_done(self) -> bool:
        return not (await self._fetch(_LEFT))[0][0]

    async def _clear(self) -> None:
        await self.administrator.execute("DELETE FROM outbox.messages")
        await self.administrator.execute("VACUUM outbox.messages")
        await asyncio.sleep(0.5)  # what was under way comes to its end, in vain

    async def _fetch(self, query: str) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.administrator.fetch(query, self.noisy.id)
        return rows


async def measure(postgres: Postgres, redis_url: str) -> Measured:
    """Windows without and beside the noise, in turn."""
    database = await TestDatabase.create(postgres)
    enabled = frozenset({"shop"})
    tenants = [
        await database.add_tenant(f"t{number}", sql=shop.TABLES, plugins=enabled)
        for number in range(QUIET + 1)
    ]
    relays = [Database(database.name, database.relay_dsn)]
    plan = Plan(redis_url=redis_url, tenants=tenants, relays=relays)
    administrator = await asyncpg.connect(database.superuser_dsn)
    databases = Databases(pool_size=8)
    scene = _Scene(
        databases=databases, administrator=administrator, noisy=tenants[0], quiet=tenants[1:]
    )
    measured = Measured()
    async with _running(plan):
        await _ask(databases, tenants, 2.0)
        await scene.beside()  # the first crowd ever finds too few connections open: not measured
        for pair in range(PAIRS):
            if pair % 2 == 0:
                measured.alone.append(await scene.alone())
            measured.beside.append(await scene.beside())
            if pair % 2 == 1:
                measured.alone.append(await scene.alone())
    await databases.dispose()
    await administrator.close()
    await postgres.drop_database(database.name)
    return measured


async def _ask(databases: Databases, tenants: list[Tenant], seconds: float) -> None:
    """Each tenant asks for a job at its interval, one after the other."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for turn in range(int(seconds / EVERY_SECONDS) * len(tenants)):
        await asyncio.sleep(due - loop.time())
        due += EVERY_SECONDS / len(tenants)
        async with databases.transaction(tenants[turn % len(tenants)]) as session:
            await shop.sell.enqueue(session, number=turn)


@asynccontextmanager
async def _running(plan: Plan) -> AsyncIterator[None]:
    """A worker and a relay, once both are at work."""
    folder: Path = scratch()
    (folder / "plan.json").write_bytes(plan.dump())
    fresh = multiprocessing.get_context("spawn")
    children = [
        fresh.Process(target=processes.play, args=(role, folder, 0)) for role in ("worker", "relay")
    ]
    for child in children:
        child.start()
    try:

        async def at_work() -> bool:
            return all((folder / f"{role}.at_work").exists() for role in ("worker", "relay"))

        await eventually(at_work, within=60)
        yield
    finally:
        for child in children:
            if child.pid is not None:
                os.kill(child.pid, signal.SIGKILL)
            await asyncio.to_thread(child.join)
