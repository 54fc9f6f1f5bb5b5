"""50,000 mixed attempts (book, extend, swap, late return, maintenance, cancel) from 64 clients.

The clients sit in two processes and want, three times in four, the same two days of a few cars.
Each attempt is what a request does in its transaction, let in by the process's fair shares as
every request is; the next begins when it has its answer. What is timed is a request: where an
attempt takes two, such as keeping a car back and releasing it, each of them.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import uvloop
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.composition import OF_THE_PLATFORM
from atrium.testing.keys import master_key_file
from atrium.testing.servers import POSTGRES, REDIS, Postgres, Servers
from atrium.testing.world import world_of
from bench.result import Result
from core import clock, crypto
from core.admission import Admission
from core.crypto import KeyRing, MasterKeys
from core.db import Databases
from core.errors import DomainError
from core.notifications import centre as notifications
from core.notifications.centre import Centre
from core.scope import Tenant
from core.shares import Shares
from core.signals import Signals
from plugins.car_hire.models import Booking, Hire, Vehicle
from plugins.car_hire.schemas import BlockInput, ReturnInput
from plugins.car_hire.services import (
    availability,
    blocks,
    bookings,
    changing,
    customers,
    hires,
    paying,
    quotes,
)
from tenants.installed import installed
from tests.plugins.car_hire.shop import Shop

ATTEMPTS: Final = int(os.environ.get("HIRE_MIXED_ATTEMPTS", "50000"))
CLIENTS: Final = 64
PROCESSES: Final = 2
CONNECTIONS: Final = int(os.environ.get("HIRE_MIXED_CONNECTIONS", "3"))
"""Of each process: more than the cores can serve only wait inside PostgreSQL, and unfairly."""
CARS: Final = 8
HOT_HOURS: Final = 48
HORIZON_HOURS: Final = 24 * 700
P99_MS: Final = 250.0

KINDS: Final = {
    "book": 62, "extend": 9, "swap": 6, "late return": 4, "maintenance": 4, "cancel": 15,
}  # fmt: skip

# The hot hours come first, so that a place in the list tells whether a quote is hot.
QUOTES: Final = """
INSERT INTO {schema}.car_hire_quotes
SELECT (jsonb_populate_record(q, jsonb_build_object(
  'id', gen_random_uuid(), 'starts_at', s.at, 'ends_at', s.at + s.hours * interval '1 hour',
  'days', ceil(s.hours / 24.0), 'expires_at', now() + interval '1 day'
))).* FROM {schema}.car_hire_quotes q, (
  SELECT $2::timestamptz + floor(random() * $3) * interval '1 hour' AS at,
         4 + floor(random() * 68) AS hours
  FROM generate_series(1, $4)
) s WHERE q.id = $1
"""
UNTRUE: Final = """
SELECT (SELECT count(*) FROM {schema}.car_hire_occupancies a JOIN {schema}.car_hire_occupancies b
  ON a.vehicle_id = b.vehicle_id AND a.id < b.id
  AND lower(a.period) < upper(b.period) AND lower(b.period) < upper(a.period)) AS overlaps,
(SELECT count(*) FROM {schema}.car_hire_bookings b FULL JOIN {schema}.car_hire_occupancies o
  ON o.booking_id = b.id WHERE o.block_id IS NULL AND (b.id IS NULL
  OR (b.state IN ('pending_payment', 'confirmed', 'out')) <> (o.id IS NOT NULL)
  OR o.vehicle_id <> b.vehicle_id OR NOT o.period @> tstzrange(b.starts_at, b.ends_at))) AS strays
"""


@dataclass(kw_only=True)
class Part:
    """What one process is given to do."""

    tenant: Tenant
    redis: str
    key: Path
    number: int
    attempts: int
    customer: UUID
    cars: list[UUID]
    hot: list[UUID]
    cold: list[UUID]
    past: list[UUID]


@dataclass(slots=True)
class _Made:
    """What a client knows of a booking that it made."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    hot: bool


@dataclass
class Tally:
    """What became of the attempts; how long requests about the hot days and others took, in ms."""

    outcomes: Counter[str] = field(default_factory=Counter)
    hot: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)
    kinds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    unhandled: list[str] = field(default_factory=list)

    def add(self, more: Tally) -> None:
        """Count what another process did as well."""
        self.outcomes += more.outcomes
        self.hot += more.hot
        self.other += more.other
        for kind, took in more.kinds.items():
            self.kinds[kind] += took
        self.unhandled += more.unhandled


def share(took: list[float], part: float) -> float:
    """The duration below which ``part`` of the attempts stayed."""
    return round(sorted(took)[int(part * (len(took) - 1))], 1) if took else 0.0


async def run() -> Result:
    """Run the attempts on servers of this benchmark's own."""
    servers = Servers()
    await asyncio.to_thread(servers.start)
    try:
        redis = os.environ[REDIS] + "/0"
        async with world_of(Postgres.at(os.environ[POSTGRES]), redis) as world:
            connection = await asyncpg.connect(world.superuser_dsn(world.acme))
            parts = await _parts(world.databases, world.acme, redis, connection)
            tally, seconds = await _played(parts)
            schema = world.acme.scope.name
            overlaps, strays = await connection.fetchrow(UNTRUE.format(schema=schema))
            deadlocks = await connection.fetchval(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            )
            await connection.close()
    finally:
        await asyncio.to_thread(servers.stop)
    done = sum(tally.outcomes.values())
    p99 = share(tally.hot, 0.99)
    wrong = overlaps + strays + len(tally.unhandled)
    return Result(
        bench="hire_mixed",
        value=p99,
        unit="ms, p99 on the hot days",
        target=f"< {P99_MS:.0f} ms; 0 overlaps, 0 bookings without occupancy, 0 unhandled errors",
        met=p99 < P99_MS and wrong == 0 and done == ATTEMPTS,
        detail={
            "attempts": done,
            "clients": CLIENTS,
            "processes": PROCESSES,
            "cars": CARS,
            "seconds": round(seconds, 1),
            "attempts_per_second": round(done / seconds),
            "outcomes": dict(sorted(tally.outcomes.items())),
            "hot_p50_ms": share(tally.hot, 0.5),
            "other_p99_ms": share(tally.other, 0.99),
            "p99_ms_by_kind": {kind: share(took, 0.99) for kind, took in tally.kinds.items()},
            "overlaps": overlaps,
            "strays": strays,
            "deadlocks_in_postgresql": deadlocks,
            "unhandled": tally.unhandled[:5],
        },
    )


async def _parts(
    databases: Databases, tenant: Tenant, redis: str, connection: asyncpg.Connection
) -> list[Part]:
    """A fleet, and a quote for every attempt to book, as if a car had seemed free each time."""
    shop = await Shop.open(databases, tenant, cars=CARS)
    like = (await shop.quote()).id
    statement = QUOTES.format(schema=tenant.scope.name)
    ids = f"SELECT id FROM {tenant.scope.name}.car_hire_quotes WHERE id <> ALL($1)"
    soon = shop.now + timedelta(hours=1)
    found: list[list[UUID]] = []
    seen: list[UUID] = [like]
    for starts_at, hours, count in (
        (soon, HOT_HOURS, ATTEMPTS * 6 // 10),
        (soon, HORIZON_HOURS, ATTEMPTS * 2 // 10),
        (shop.now - timedelta(days=20), 24 * 15, ATTEMPTS // 10),
    ):
        await connection.execute(statement, like, starts_at, float(hours), count)
        rows = await connection.fetch(ids, seen)
        found.append([row["id"] for row in rows])
        seen += found[-1]
    await connection.execute("ANALYZE")
    return [
        Part(
            tenant=tenant,
            redis=redis,
            key=master_key_file(),
            number=n,
            attempts=ATTEMPTS // PROCESSES,
            customer=shop.customer.id,
            cars=[car.id for car in shop.cars],
            hot=found[0][n::PROCESSES],
            cold=found[1][n::PROCESSES],
            past=found[2][n::PROCESSES],
        )
        for n in range(PROCESSES)
    ]


async def _played(parts: list[Part]) -> tuple[Tally, float]:
    """What all processes did together, and how long the slower one took once it had begun."""
    loop = asyncio.get_running_loop()
    tally, seconds = Tally(), 0.0
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        played = (loop.run_in_executor(pool, play, part) for part in parts)
        for done, took in await asyncio.gather(*played):
            tally.add(done)
            seconds = max(seconds, took)
    return tally, seconds


def play(part: Part) -> tuple[Tally, float]:
    """Do a part in this process, on the event loop and with the collector of a web process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    return uvloop.run(_Player(part).play())


class _Player:
    """Half of the clients."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.tally = Tally()
        self.chance = random.Random(part.number)
        self.hot, self.other = iter(part.hot), iter(part.cold)
        self.past = iter(part.past)
        self.stand: list[_Made] = []
        """Bookings that were made and not cancelled here."""
        self.databases = Databases(pool_size=CONNECTIONS)
        self.admission = Admission(Shares(CONNECTIONS))

    async def play(self) -> tuple[Tally, float]:
        crypto.install(KeyRing(MasterKeys.load(self.part.key)))
        plugins = installed()
        notifications.install(
            Centre(
                platform=OF_THE_PLATFORM,
                products=plugins,
                url_of=_no_address,
                signals=Signals(self.part.redis),
            )
        )
        began = time.perf_counter()
        left = iter(range(self.part.attempts))
        await asyncio.gather(*(self._client(left) for _ in range(CLIENTS // PROCESSES)))
        seconds = time.perf_counter() - began
        await self.databases.dispose()
        return self.tally, seconds

    async def _client(self, left: Iterator[int]) -> None:
        for _attempt in left:
            (kind,) = self.chance.choices(list(KINDS), list(KINDS.values()))
            if kind in {"extend", "swap", "cancel"} and len(self.stand) < 2:
                kind = "book"
            try:
                await self._attempt(kind)
                self.tally.outcomes[f"{kind}: done"] += 1
            except DomainError as refused:
                self.tally.outcomes[f"{kind}: {refused.code}"] += 1
            except DBAPIError as problem:
                self.tally.outcomes[f"{kind}: error"] += 1
                self.tally.unhandled.append(str(problem.orig)[:300])

    async def _attempt(self, kind: str) -> None:
        if kind == "book":
            await self._book(hot=self.chance.random() < 0.75)
        elif kind == "late return":
            await self._late_return()
        elif kind == "maintenance":
            await self._maintenance()
        else:
            await self._change(kind)

    async def _book(self, *, hot: bool) -> None:
        quote_id = next(self.hot if hot else self.other)
        async with self._request("book", hot=hot) as session:
            await availability.refuse_gone(session, quote_id)
            customer = await customers.one(session, self.part.customer)
            quote = await quotes.one(session, quote_id)
            made = await bookings.place(session, quote, customer, "api")
            await paying.hold_ends(session, made)
        self.stand.append(_Made(made.id, made.starts_at, made.ends_at, hot))

    async def _change(self, kind: str) -> None:
        place = self.chance.randrange(len(self.stand))
        known = self.stand[place]
        if kind == "cancel":
            self.stand[place] = self.stand[-1]
            self.stand.pop()
        other = self.chance.choice(self.stand).id
        later = known.ends_at + timedelta(hours=self.chance.choice([-2, 2, 6]))
        async with self._request(kind, hot=known.hot) as session:
            if kind == "cancel":
                await bookings.cancel(session, known.id)
            elif kind == "extend":
                await changing.change_dates(session, known.id, known.starts_at, later)
            else:
                await changing.swap(session, known.id, other)
        if kind == "extend":
            known.ends_at = later

    @asynccontextmanager
    async def _request(self, kind: str, *, hot: bool = True) -> AsyncIterator[AsyncSession]:
        tenant = self.part.tenant
        began = time.perf_counter()
        turn = await self.admission.enter(tenant.id)
        try:
            async with self.databases.transaction(tenant) as session:
                yield session
        finally:
            turn.end()
            took = (time.perf_counter() - began) * 1000
            (self.tally.hot if hot else self.tally.other).append(took)
            self.tally.kinds[kind].append(took)

    async def _maintenance(self) -> None:
        """A car is kept back for some hot hours, and released by the next request."""
        starts_at = clock.now() + timedelta(hours=self.chance.randint(1, HOT_HOURS))
        hours = timedelta(hours=self.chance.randint(2, 8))
        given = BlockInput(starts_at=starts_at, ends_at=starts_at + hours)
        car = self.chance.choice(self.part.cars)
        async with self._request("maintenance") as session:
            block = await blocks.add_and_move(session, car, given)
        async with self._request("maintenance") as session:
            await blocks.end(session, block.id)

    async def _late_return(self) -> None:
        """A car that should have been back days ago is booked; then it goes and returns."""
        async with self._request("late return") as session:
            customer = await customers.one(session, self.part.customer)
            quote = await quotes.one(session, next(self.past))
            booking = await bookings.place(session, quote, customer, "api")
        async with self._request("late return") as session:
            booking = await bookings.locked(session, booking.id)
            await bookings.confirm(session, booking)
            hire = await self._out(session, booking)
            given = ReturnInput(
                odometer_km=hire.odometer_out + 50,
                fuel_eighths=8,
                returned_at=min(clock.now(), booking.ends_at + timedelta(hours=5)),
            )
            await hires.take_back(session, hire.id, given)

    async def _out(self, session: AsyncSession, booking: Booking) -> Hire:
        car = await session.get_one(Vehicle, booking.vehicle_id)
        hire = Hire(
            booking_id=booking.id,
            vehicle_id=car.id,
            state="awaiting_deposit",
            odometer_out=car.odometer_km,
            fuel_out=car.fuel_eighths,
            deposit=Decimal(0),
            currency=booking.currency,
        )
        session.add(hire)
        await session.flush()
        hire = await hires.depart(session, hire.id)
        hire.started_at = booking.starts_at
        await session.flush()
        return hire


async def _no_address(_: Any) -> str:
    return ""
