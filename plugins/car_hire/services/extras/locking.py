"""Who may decide about an extra: one transaction at a time, and none waits for ever.

Extras come last in the order of locks: hires, bookings, cars, vehicle rows, extras by id.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from plugins.car_hire.errors import DecidedMeanwhile
from plugins.car_hire.services.locking import DEADLOCK, LOCK_TIMED_OUT, lock_vehicle, sqlstate


async def lock_extras(session: AsyncSession, extra_ids: Iterable[UUID]) -> None:
    """Have several extras to oneself until the transaction ends, always in the same order.

    Raises:
        DecidedMeanwhile: somebody else keeps one of them for too long.
    """
    try:
        async with session.begin_nested():
            for extra_id in sorted(set(extra_ids)):
                await lock_vehicle(session, extra_id)  # ids differ, so one kind of lock will do
    except DBAPIError as problem:
        if sqlstate(problem) in {LOCK_TIMED_OUT, DEADLOCK}:
            raise DecidedMeanwhile from problem
        raise
