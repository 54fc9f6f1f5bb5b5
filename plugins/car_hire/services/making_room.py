"""Moves bookings to other cars of their class where that makes room for one more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.ids import new_id
from plugins.car_hire.errors import Collision, DecidedMeanwhile
from plugins.car_hire.models import Booking, Hire, Occupancy
from plugins.car_hire.services import availability, occupying
from plugins.car_hire.services.branches.whereabouts import STAYS, Journey
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.occupying import Period
from plugins.car_hire.services.repacking import Piece, plan

AROUND: Final = timedelta(days=14)
"""How far from the time that is wanted bookings are moved."""
MOVABLE: Final = ("pending_payment", "confirmed")


async def is_possible(
    session: AsyncSession, class_id: UUID, period: Period, journey: Journey
) -> bool:
    """Whether moving bookings would make room for ``period``."""
    return await _plan(session, class_id, period, journey) is not None


async def make(
    session: AsyncSession, class_id: UUID, period: Period, journey: Journey
) -> UUID | None:
    """Move bookings so that a car of the class is free for ``period``; that car, locked.

    None if nothing helps, or if somebody else was faster: then nothing has moved. Only hires that
    come back to their branch are moved, or made room for, and only on cars that stay there.
    """
    found = await _plan(session, class_id, period, journey)
    if found is None:
        return None
    wanted, moves = found
    car = moves.pop(wanted)
    try:
        async with session.begin_nested():
            await _move(session, moves, car)
    except (Collision, DecidedMeanwhile):
        return None
    return car


async def _move(session: AsyncSession, moves: dict[UUID, UUID], car: UUID) -> None:
    query = (
        select(Booking, Occupancy.period)
        .join(Occupancy, Occupancy.id == Booking.id)
        .where(Booking.id.in_(moves), Booking.state.in_(MOVABLE), ~Booking.pinned, ~_HANDED_OVER)
        .order_by(Booking.id)
        .with_for_update(of=Booking, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    rows = (await session.execute(query)).all()
    if len(rows) < len(moves):
        raise DecidedMeanwhile
    involved = {car, *moves.values(), *(row[0].vehicle_id for row in rows)}
    await occupying.lock(session, involved)
    places = {booking.id: (moves[booking.id], period) for booking, period in rows}
    await occupying.exchange(session, places)
    details = {}
    for booking, _period in rows:
        before, booking.vehicle_id = booking.vehicle_id, moves[booking.id]
        edit(booking, None)
        details[booking.id] = {"vehicle_id": [before, booking.vehicle_id]}
    await session.flush()
    await audit.record_each(session, "car_hire.booking_made_room", "car_hire.booking", details)


def is_handed_over(booking_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the car of the booking is just being handed over."""
    under_way = Hire.booking_id == booking_id, Hire.state == "awaiting_deposit"
    return select(Hire.id).where(*under_way).correlate_except(Hire).exists()


_HANDED_OVER: Final = is_handed_over(Booking.__table__.c.id)


async def _plan(
    session: AsyncSession, class_id: UUID, period: Period, journey: Journey
) -> tuple[UUID, dict[UUID, UUID]] | None:
    assert period.lower is not None
    assert period.upper is not None
    if journey.is_one_way:
        return None
    now = clock.now()
    around = Range(period.lower - AROUND, period.upper + AROUND, bounds="[)")
    cars = await _cars(session, class_id, period, journey, around)
    moves = and_(
        Booking.state.in_(MOVABLE),
        ~Booking.pinned,
        ~_HANDED_OVER,
        func.lower(Occupancy.period) > now,
        Occupancy.period.contained_by(around),
    )
    query = (
        select(
            Occupancy.id,
            Occupancy.vehicle_id,
            func.lower(Occupancy.period),
            func.upper(Occupancy.period),
            func.coalesce(moves, False),
        )
        .outerjoin(Booking, Booking.id == Occupancy.booking_id)
        .where(Occupancy.vehicle_id.in_(cars), Occupancy.period.overlaps(around))
    )
    pieces = [Piece(*row) for row in (await session.execute(query)).all()]
    wanted = Piece(new_id(), new_id(), period.lower, period.upper, moves=True)
    # A second for a class of two hundred cars, in which others wait for none of it.
    found = await asyncio.to_thread(plan, wanted, cars, pieces)
    return None if found is None else (wanted.id, found)


_STAYING: Final = availability.USABLE.where(STAYS)


async def _cars(
    session: AsyncSession, class_id: UUID, period: Period, journey: Journey, around: Period
) -> Sequence[UUID]:
    """Cars of the class that may be promised for ``period``, whatever they are promised for now,
    and that are at the branch for all of ``around``."""
    given = availability.asked(period, journey) | {"class_id": class_id, "around": around}
    return (await session.scalars(_STAYING, given)).all()
