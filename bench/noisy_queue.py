"""Jobs of quiet tenants, alone and beside one who asks for ten thousand at once.

Relay and worker are processes of their own, in a database with tenants of the tests' shop.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

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
SECONDS: Final = 8.0
NOISE: Final = 10_000

_TOOK: Final = """
SELECT extract(epoch FROM finished_at - put_at)::float8 AS seconds
FROM outbox.messages WHERE tenant <> $1 AND state = 'done' ORDER BY 1
"""


async def measure(postgres: Postgres, redis_url: str) -> dict[str, Any]:
    """Latencies of the quiet tenants' jobs, from asked for to done, in milliseconds."""
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
    noisy, *quiet = tenants
    async with _running(plan):
        await _ask(databases, quiet, 2.0)
        alone = await _ask_and_wait(databases, administrator, noisy, quiet)
        await _flood(databases, noisy)
        beside = await _ask_and_wait(databases, administrator, noisy, quiet)
        done = await administrator.fetchval(
            "SELECT count(*) FROM outbox.messages WHERE tenant = $1 AND state = 'done'", noisy.id
        )
    await databases.dispose()
    await administrator.close()
    await postgres.drop_database(database.name)
    return {"alone": alone, "beside": beside, "noisy_jobs_meanwhile": done}


async def _ask_and_wait(
    databases: Databases, administrator: asyncpg.Connection, noisy: Tenant, quiet: list[Tenant]
) -> dict[str, float]:
    await administrator.execute("DELETE FROM outbox.messages WHERE state = 'done'")
    await _ask(databases, quiet, SECONDS)

    async def all_done() -> bool:
        return not await administrator.fetchval(
            "SELECT count(*) FROM outbox.messages WHERE tenant <> $1 AND state <> 'done'", noisy.id
        )

    await eventually(all_done, within=120)
    took = [row["seconds"] for row in await administrator.fetch(_TOOK, noisy.id)]
    return {"p50_ms": quantile(took, 0.5), "p99_ms": quantile(took, 0.99), "jobs": len(took)}


async def _ask(databases: Databases, tenants: list[Tenant], seconds: float) -> None:
    """Each tenant asks for a job at its interval, one after the other."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for turn in range(int(seconds / EVERY_SECONDS) * len(tenants)):
        await asyncio.sleep(due - loop.time())
        due += EVERY_SECONDS / len(tenants)
        async with databases.transaction(tenants[turn % len(tenants)]) as session:
            await shop.sell.enqueue(session, number=turn)


async def _flood(databases: Databases, noisy: Tenant) -> None:
    async with databases.transaction(noisy) as session:
        for number in range(NOISE):
            await shop.sell.enqueue(session, number=number)


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
