"""What the processes do that the crash tests kill, each forked from one that imported it all."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
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


def play(role: str, folder: Path, jobs: int) -> None:
    """Play a role to its end; the file ROLE.at_work appears once it has begun in earnest."""
    os.setsid()
    with (folder / f"{role}.log").open("ab", buffering=0) as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    telemetry.set_up(Settings(database_url="postgresql://unused"), role)
    plan = Plan.load((folder / "plan.json").read_bytes())
    begun = (folder / f"{role}.at_work").touch
    match role:
        case "worker":
            work(plan, begun)
        case "relay":
            relay(plan, begun)
        case "web":
            web(plan, begun, jobs)
