"""Who may decide about a car: one transaction at a time, and none waits for ever.

The EXCLUDE constraint is the authority on overlaps, but it is a poor queue: on a hot car every
insert waits for every other, in a cycle, until PostgreSQL's deadlock detector shoots one a
second. So whoever is about to write a period for a car first takes that car's advisory lock.
It ends with the transaction, or with the savepoint in which it was taken, so that nobody ever
holds the locks of two cars and the locks themselves cannot deadlock.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

LOCK_TIMEOUT_MS: Final = 3000

# Advisory locks belong to the database: the role, which is the tenant's, keeps tenants apart.
_LOCK: Final = text(
    "SELECT set_config('lock_timeout', :timeout, true), pg_advisory_xact_lock("
    "hashtextextended('car_hire:' || current_setting('role') || ':' || :vehicle, 0))"
)

OVERLAP: Final = "23P01"
LOCK_TIMED_OUT: Final = "55P03"
DEADLOCK: Final = "40P01"
UNIQUE: Final = "23505"


async def lock_vehicle(session: AsyncSession, vehicle_id: UUID) -> None:
    """Wait, at most three seconds, until nobody else decides about this car."""
    await session.execute(_LOCK, {"timeout": str(LOCK_TIMEOUT_MS), "vehicle": str(vehicle_id)})


def sqlstate(problem: DBAPIError) -> str:
    """PostgreSQL's five characters for what went wrong; empty when it did not say."""
    return str(getattr(problem.orig, "sqlstate", "") or "")
