"""Who may decide about a car: one transaction at a time, and none waits for ever.

The EXCLUDE constraint is the authority on overlaps, but it is a poor queue: on a hot car every
insert waits for every other, in a cycle, until PostgreSQL's deadlock detector shoots one a
second. So whoever is about to write a period for a car first takes that car's advisory lock.
Bookings first try for a car that nobody holds, without waiting; only when all that are free are
being decided about does one wait, in a savepoint that gives the lock back if it was in vain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Text, bindparam, cast, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

LOCK_TIMEOUT_MS: Final = 3000

LOCK_TIMED_OUT: Final = "55P03"
DEADLOCK: Final = "40P01"
UNIQUE: Final = "23505"


def lock_key(vehicle_id: ColumnElement[UUID] | ColumnElement[str]) -> ColumnElement[int]:
    """The number of a car's advisory lock.

    Advisory locks belong to the database; the role, which is the tenant's, keeps tenants apart.
    """
    key = cast("car_hire:", Text) + func.current_setting("role") + cast(vehicle_id, Text)
    return func.hashtextextended(key, 0)


_WANTED: Final = select(bindparam("cars", type_=ARRAY(Text)).label("cars")).cte("wanted")
_HELD: Final = select(literal(0).label("many"), true().label("got")).cte("held", recursive=True)
_NEXT: Final = select(
    _HELD.c.many + 1, func.pg_try_advisory_xact_lock(lock_key(_WANTED.c.cars[_HELD.c.many + 1]))
).where(_HELD.c.got, _HELD.c.many < func.cardinality(_WANTED.c.cars))
_TRY: Final = select(func.bool_and(_HELD.union_all(_NEXT).c.got))


async def try_vehicles(session: AsyncSession, vehicle_ids: Sequence[UUID]) -> bool:
    """Take the cars that nobody decides about, in order, up to the first that somebody does;
    whether that was all of them. It never waits."""
    given = {"cars": [str(each) for each in vehicle_ids]}
    return bool(await session.scalar(_TRY, given))


async def lock_vehicle(session: AsyncSession, vehicle_id: UUID) -> None:
    """Wait, at most three seconds, until nobody else decides about this car."""
    key = lock_key(literal(str(vehicle_id)))
    await session.execute(
        select(
            func.set_config("lock_timeout", str(LOCK_TIMEOUT_MS), True),
            func.pg_advisory_xact_lock(key),
        )
    )


def sqlstate(problem: DBAPIError) -> str:
    """PostgreSQL's five characters for what went wrong; empty when it did not say."""
    return str(getattr(problem.orig, "sqlstate", "") or "")
