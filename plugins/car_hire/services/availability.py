"""Which cars are free when. What it says is a hint; the EXCLUDE constraint decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from plugins.car_hire.models import Booking, Vehicle, VehicleClass, states
from plugins.car_hire.services.locking import lock_key

LATE_HORIZON: Final = timedelta(hours=24)
"""A car that is late is not promised to anybody for so long from now."""


def blocked(starts_at: datetime, ends_at: datetime, buffer: timedelta) -> Range[datetime]:
    """What a hire takes from the calendar: half open, so that the next may begin at its end."""
    return Range(starts_at, ends_at + buffer, bounds="[)")


def _taken(period: Range[datetime]) -> ColumnElement[bool]:
    """A booking keeps the car of the surrounding query from ``period``."""
    overlaps = and_(Booking.state.in_(states.BLOCKING), Booking.period.op("&&")(period))
    now = clock.now()
    conditions: list[ColumnElement[bool]] = [overlaps]
    if period.lower is not None and period.lower < now + LATE_HORIZON:
        conditions.append(and_(Booking.state == "out", Booking.ends_at < now))
    return (
        select(Booking.id)
        .where(Booking.vehicle_id == Vehicle.id, or_(*conditions))
        .correlate(Vehicle)
        .exists()
    )


async def free_vehicles(
    session: AsyncSession, class_id: UUID, period: Range[datetime], *, salt: str = ""
) -> Sequence[UUID]:
    """Cars of the class that seem free for ``period``, shuffled by ``salt``."""
    return (await session.scalars(_free(class_id, period, salt=salt))).all()


async def take_one(
    session: AsyncSession, class_id: UUID, period: Range[datetime], *, salt: str
) -> UUID | None:
    """A car that seems free and that nobody else is deciding about, with its lock taken.

    It never waits. ``salt`` shuffles the cars, always the same way for the same salt, so that
    customers who book at the same moment do not all reach for the same one.
    """
    free = _free(class_id, period, salt=salt).cte("free").prefix_with("MATERIALIZED")
    query = select(free.c.id).where(func.pg_try_advisory_xact_lock(lock_key(free.c.id))).limit(1)
    return await session.scalar(query)


def _free(class_id: UUID, period: Range[datetime], *, salt: str) -> Select[UUID]:
    return (
        select(Vehicle.id)
        .where(Vehicle.class_id == class_id, Vehicle.status == "available", ~_taken(period))
        .order_by(func.md5(func.concat(Vehicle.id, salt)))
    )


async def free_by_class(
    session: AsyncSession, period: Range[datetime]
) -> Sequence[tuple[VehicleClass, int]]:
    """Every class on offer and how many of its cars seem free: those with any first, then the
    cheapest."""
    free = (
        select(Vehicle.class_id, func.count().label("free"))
        .where(Vehicle.status == "available", ~_taken(period))
        .group_by(Vehicle.class_id)
        .subquery()
    )
    query = (
        select(VehicleClass, func.coalesce(free.c.free, 0))
        .outerjoin(free, free.c.class_id == VehicleClass.id)
        .where(VehicleClass.on_offer)
        .order_by(free.c.free.is_(None), VehicleClass.daily_rate, VehicleClass.id)
    )
    return [(row[0], row[1]) for row in (await session.execute(query)).all()]
