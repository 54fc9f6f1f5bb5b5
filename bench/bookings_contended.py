"""20,000 booking attempts from 64 clients on a small fleet: no overlap, no unhandled deadlock.

The peer, in the same run, is the EXCLUDE constraint alone on one hot car, without the car's
advisory lock in front of it.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import asyncpg
import msgspec
from sqlalchemy.exc import DBAPIError

from atrium.testing.servers import POSTGRES, REDIS, Postgres, Servers
from atrium.testing.world import world_of
from bench.result import Result
from core import clock
from core.db import Databases
from core.ids import new_id
from plugins.car_hire.errors import VehicleUnavailable
from plugins.car_hire.models import Booking, Quote
from plugins.car_hire.services import bookings, locking, pricing
from tests.plugins.car_hire.shop import Shop, class_prices, house_rules

ATTEMPTS: Final = 20_000
CLIENTS: Final = 64
CARS: Final = 6
HOT_HOURS: Final = 48
OVERLAP: Final = "23P01"
HORIZON_HOURS: Final = 24 * 700
PEER_SECONDS: Final = 5.0
PEER_CLIENTS: Final = 32

OVERLAPS: Final = """
SELECT count(*) FROM {schema}.car_hire_occupancies a JOIN {schema}.car_hire_occupancies b
ON a.vehicle_id = b.vehicle_id AND a.id < b.id
AND lower(a.period) < upper(b.period) AND lower(b.period) < upper(a.period)
"""


@dataclass
class Tally:
    """What became of the attempts, and how long each took, in milliseconds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    unhandled: list[str] = field(default_factory=list)

    def share(self, part: float) -> float:
        """The duration below which ``part`` of the attempts stayed."""
        return round(sorted(self.took)[int(part * (len(self.took) - 1))], 1)


async def run() -> Result:
    """Run attempts and peer on servers of this benchmark's own."""
    servers = Servers()
    await asyncio.to_thread(servers.start)
    try:
        async with world_of(Postgres.at(os.environ[POSTGRES]), os.environ[REDIS] + "/0") as world:
            databases = Databases(pool_size=CLIENTS)
            shop = await Shop.open(databases, world.acme, cars=CARS)
            tally, seconds = await attempts(shop)
            connection = await asyncpg.connect(world.superuser_dsn(world.acme))
            schema = world.acme.scope.name
            overlaps = await connection.fetchval(OVERLAPS.format(schema=schema))
            deadlocks = await connection.fetchval(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            )
            like = await _far_away(shop)
            dsn = world.superuser_dsn(world.acme)
            hot = {
                "exclude_alone": await hot_car(dsn, schema, like, locked=False),
                "with_lock": await hot_car(dsn, schema, like, locked=True),
            }
            await connection.close()
            await databases.dispose()
    finally:
        await asyncio.to_thread(servers.stop)
    return Result(
        bench="bookings_contended",
        value=float(overlaps + len(tally.unhandled)),
        unit="overlaps and unhandled errors",
        target="0",
        met=overlaps == 0 and not tally.unhandled and sum(tally.outcomes.values()) == ATTEMPTS,
        detail={
            "attempts": ATTEMPTS,
            "clients": CLIENTS,
            "cars": CARS,
            "seconds": round(seconds, 1),
            "attempts_per_second": round(ATTEMPTS / seconds),
            "outcomes": dict(tally.outcomes),
            "unhandled": tally.unhandled[:5],
            "overlaps": overlaps,
            "deadlocks_in_postgresql": deadlocks,
            "p50_ms": tally.share(0.5),
            "p99_ms": tally.share(0.99),
            "one_hot_car": hot,
        },
    )


async def attempts(shop: Shop) -> tuple[Tally, float]:
    """Every client books at random, most of it on the same few days, and cancels there."""
    tally, left = Tally(), iter(range(ATTEMPTS))
    began = time.perf_counter()
    await asyncio.gather(*(_client(shop, tally, left, random.Random(n)) for n in range(CLIENTS)))
    return tally, time.perf_counter() - began


async def _client(shop: Shop, tally: Tally, left: Any, chance: random.Random) -> None:
    for _attempt in left:
        starts_at = shop.now + timedelta(hours=1 + _hour(chance))
        quote = await _quote(shop, starts_at, starts_at + timedelta(hours=chance.randint(4, 72)))
        began = time.perf_counter()
        try:
            booking = await shop.place(quote)
        except VehicleUnavailable:
            tally.outcomes["unavailable"] += 1
        except DBAPIError as problem:
            tally.outcomes["error"] += 1
            tally.unhandled.append(str(problem.orig)[:200])
        else:
            tally.outcomes["booked"] += 1
            # The hot days empty again, so that the fight for them never ends.
            hot = booking.starts_at < shop.now + timedelta(hours=HOT_HOURS + 1)
            if hot and chance.random() < 0.98:
                async with shop.transaction() as session:
                    await bookings.cancel(session, booking.id)
        tally.took.append((time.perf_counter() - began) * 1000)


def _hour(chance: random.Random) -> int:
    """Three attempts in four want the same two days."""
    return chance.randint(0, HOT_HOURS if chance.random() < 0.75 else HORIZON_HOURS)


async def _far_away(shop: Shop) -> Booking:
    """A booking beyond everybody's horizon, where a car is free whatever was booked before."""
    starts_at = shop.now + timedelta(hours=HORIZON_HOURS) + timedelta(days=10)
    return await shop.place(await _quote(shop, starts_at, starts_at + timedelta(hours=5)))


async def _quote(shop: Shop, starts_at: datetime, ends_at: datetime) -> Quote:
    """A quote made as if a car had seemed free: every attempt must reach the booking itself."""
    terms = pricing.terms(
        house_rules(),
        class_prices(),
        currency=shop.tenant.currency,
        day=starts_at.date(),
        grace_minutes=60,
        late_per_hour=Decimal(15),
    )
    asked = pricing.Asked(starts_at=starts_at, ends_at=ends_at, zone="UTC")
    priced = pricing.quote(terms, asked)
    async with shop.transaction() as session:
        made = Quote(
            class_id=shop.vehicle_class.id,
            starts_at=starts_at,
            ends_at=ends_at,
            days=pricing.days(starts_at, ends_at, terms.grace_minutes),
            currency=terms.currency,
            terms=msgspec.to_builtins(terms),
            asked=msgspec.to_builtins(asked),
            net=priced.net.amount,
            tax=priced.tax.amount,
            gross=priced.gross.amount,
            deposit=terms.deposit,
            expires_at=clock.now() + timedelta(hours=1),
        )
        session.add(made)
    return made


_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('car_hire:' || $1::text, 0))"
_INSERT: Final = """
WITH quote AS (
  INSERT INTO {schema}.car_hire_quotes
  SELECT (jsonb_populate_record(q, jsonb_build_object('id', $1::uuid))).*
  FROM {schema}.car_hire_quotes q WHERE q.id = $2 RETURNING id
), booking AS (
  INSERT INTO {schema}.car_hire_bookings
  SELECT (jsonb_populate_record(b, jsonb_build_object(
    'id', $1::uuid, 'number', $1::uuid, 'quote_id', $1::uuid,
    'starts_at', lower($3::tstzrange), 'ends_at', upper($3::tstzrange)
  ))).* FROM {schema}.car_hire_bookings b, quote WHERE b.quote_id = $2
  RETURNING id, vehicle_id, pick_up_branch_id, return_branch_id
) INSERT INTO {schema}.car_hire_occupancies
  (id, vehicle_id, period, booking_id, from_branch_id, to_branch_id)
SELECT id, vehicle_id, $3::tstzrange, id, pick_up_branch_id, return_branch_id FROM booking
"""
_FREE: Final = "DELETE FROM {schema}.car_hire_occupancies WHERE id = $1"


async def hot_car(dsn: str, schema: str, like: Booking, *, locked: bool) -> dict[str, float]:
    """Many clients want one car on one day, as often as they can, for a few seconds."""
    counted: Counter[str] = Counter()
    ends = time.perf_counter() + PEER_SECONDS
    connections = [await asyncpg.connect(dsn) for _ in range(PEER_CLIENTS)]
    await asyncio.gather(
        *(
            _hammer(each, schema, like, counted, ends, random.Random(n), locked=locked)
            for n, each in enumerate(connections)
        )
    )
    for each in connections:
        await each.close()
    done = counted["inserted"] + counted[OVERLAP]
    return {
        "transactions_per_second": round(done / PEER_SECONDS, 1),
        "inserted": counted["inserted"],
        "refused": counted[OVERLAP],
        "deadlocks": counted[locking.DEADLOCK],
    }


async def _hammer(
    connection: asyncpg.Connection,
    schema: str,
    like: Booking,
    counted: Counter[str],
    ends: float,
    chance: random.Random,
    *,
    locked: bool,
) -> None:
    insert, free = _INSERT.format(schema=schema), _FREE.format(schema=schema)
    day = clock.now() + timedelta(days=100)
    while time.perf_counter() < ends:
        booking = new_id()
        starts_at = day + timedelta(minutes=chance.randint(0, 600))
        period = asyncpg.Range(starts_at, starts_at + timedelta(minutes=chance.randint(60, 600)))
        try:
            async with connection.transaction():
                if locked:
                    await connection.execute(_LOCK, str(like.vehicle_id))
                await connection.execute(insert, booking, like.quote_id, period)
                # What a request still has to do in its transaction: mail, audit, the outbox.
                await asyncio.sleep(0.002)
        except asyncpg.PostgresError as problem:
            counted[problem.sqlstate or ""] += 1
        else:
            counted["inserted"] += 1
            await connection.execute(free, booking)
