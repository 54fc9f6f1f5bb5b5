"""The processes that the crash tests kill: ``python -m tests.workers.processes ROLE PLAN AT_WORK``.

Each touches the file AT_WORK once it has begun in earnest.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from core import telemetry
from core.db import Databases
from core.scope import Tenant
from core.settings import Settings
from tests.workers import shop
from tests.workers.rig import Directory, Plan
from workers import worker
from workers.backoff import Backoff
from workers.broker import make_broker
from workers.relay import Pace, Relay
from workers.runtime import Runtime

QUICK = Backoff(first=timedelta(milliseconds=50), longest=timedelta(seconds=1))
PACE = Pace(
    poll=timedelta(milliseconds=100),
    again=timedelta(seconds=1),
    longest=timedelta(seconds=4),
    batch=20,
)
LEASE = timedelta(seconds=2)
WORK = (shop.sell, shop.ship, shop.haggle, shop.announce)


def work(plan: Plan, begun: Callable[[], None]) -> None:
    """A worker."""

    @asynccontextmanager
    async def open_runtime() -> AsyncIterator[Runtime]:
        databases = Databases(pool_size=12)
        begun()
        yield Runtime(
            databases=databases,
            directory=Directory(plan.tenants),
            registry=plan.registry,
            backoff=QUICK,
            lease=LEASE,
        )
        await databases.dispose()

    worker.run(plan.redis_url, plan.registry.queues, open_runtime, threads=8)


def relay(plan: Plan, begun: Callable[[], None]) -> None:
    """A relay."""
    serving = Relay(
        databases=plan,
        directory=Directory(plan.tenants),
        registry=plan.registry,
        broker=make_broker(plan.redis_url),
        pace=PACE,
    )
    begun()
    asyncio.run(serving.run())


def web(plan: Plan, begun: Callable[[], None], jobs: int) -> None:
    """Asks for jobs until ``jobs`` were asked for, and says so in the same transactions."""

    async def serve(databases: Databases, tenant: Tenant, share: int) -> None:
        async with databases.transaction(tenant) as session:
            done = await session.scalar(text("SELECT coalesce(max(number), 0) FROM asked"))
        for number in range(int(done or 0) + 1, share + 1):
            await asyncio.sleep(random.random() * 0.15)
            async with databases.transaction(tenant) as session:
                await session.execute(
                    text("INSERT INTO asked (number) VALUES (:number)"), {"number": number}
                )
                await WORK[number % len(WORK)].enqueue(session, number=number)
            begun()

    async def run() -> None:
        databases = Databases(pool_size=4)
        shares = itertools.repeat(-(-jobs // len(plan.tenants)))
        await asyncio.gather(
            *(serve(databases, *each) for each in zip(plan.tenants, shares, strict=False))
        )
        await databases.dispose()

    asyncio.run(run())


def main() -> None:
    """Play the role that the command line names."""
    role, where, file, *rest = sys.argv[1:]
    begun = Path(file).touch
    plan = Plan.load(Path(where).read_bytes())
    telemetry.set_up(Settings(database_url="postgresql://unused"), role)
    match role:
        case "worker":
            work(plan, begun)
        case "relay":
            relay(plan, begun)
        case "web":
            web(plan, begun, int(rest[0]))


if __name__ == "__main__":
    main()
