"""The course of a booking from its hold to its end."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.i18n import _
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, states
from plugins.car_hire.services import availability, emitting, occupying, quotes, telling
from plugins.car_hire.services.bookings.finding import locked
from plugins.car_hire.services.bookings.placing import reserve_extras
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.extras import reserving
from plugins.car_hire.services.locking import DEADLOCK, LOCK_TIMED_OUT, lock_vehicle, sqlstate
from plugins.car_hire.services.occupying import Period
from plugins.car_hire.services.promotions import using
from plugins.car_hire.services.waiting import freeing

NOT_TO_BE: Final = frozenset({"expired", "cancelled"})
"""States of a booking that counts no more."""


async def move(
    session: AsyncSession, booking: Booking, state: str, expected: int | None = None
) -> None:
    """Take a locked booking to the next ``state``; one that blocks no car gives it back.

    Raises:
        NotNow: the table of transitions does not know that step.
        EditedMeanwhile: the booking changed since version ``expected``.
    """
    states.check(states.BOOKING, booking.state, state)
    edit(booking, expected)
    booking.state = state
    if state not in states.BLOCKING:
        await occupying.release(session, booking.id)
        await reserving.release(session, booking.id)
        await freeing.freed(session, booking.class_id)
    if state in NOT_TO_BE:
        await using.give_back(session, booking.id)


async def confirm(session: AsyncSession, booking: Booking) -> bool:
    """The booking is paid: the car is theirs. False if it is no longer to be had.

    Money can arrive after the hold was released; then any free car of the class will do.
    """
    if booking.state == "expired":
        return await _revive(session, booking)
    if booking.state != "pending_payment":
        return booking.state != "cancelled"
    await move(session, booking, "confirmed")
    await session.flush()
    await audit.record(session, "car_hire.booking_confirmed", "car_hire.booking", booking.id)
    await emitting.made(session, booking)
    await telling.booked(session, booking)
    return True


async def _revive(session: AsyncSession, booking: Booking) -> bool:
    rules = await policy.read(session)
    period = occupying.blocked(booking.starts_at, booking.ends_at, rules.buffer)
    journey = Journey.of(booking)
    for vehicle_id in await availability.free_vehicles(session, booking.class_id, period, journey):
        if await _take_instead(session, booking, vehicle_id, period):
            quote = await quotes.one(session, booking.quote_id)
            try:
                await reserve_extras(session, booking, quote, period)
                await using.take(session, booking, quote)
            except (reserving.ExtraUnavailable, using.UsedUp):  # not what was paid for
                await occupying.release(session, booking.id)
                await reserving.release(session, booking.id)
                return False
            await move(session, booking, "confirmed")
            await session.flush()
            await audit.record(session, "car_hire.booking_revived", "car_hire.booking", booking.id)
            await emitting.made(session, booking)
            await telling.booked(session, booking)
            return True
    return False


async def _take_instead(
    session: AsyncSession, booking: Booking, vehicle_id: UUID, period: Period
) -> bool:
    try:
        async with session.begin_nested() as savepoint:
            await lock_vehicle(session, vehicle_id)
            journey = Journey.of(booking)
            if await occupying.take(
                session, vehicle_id, period, booking_id=booking.id, journey=journey
            ):
                booking.vehicle_id = vehicle_id
                return True
            await savepoint.rollback()
    except DBAPIError as problem:
        if sqlstate(problem) not in {LOCK_TIMED_OUT, DEADLOCK}:
            raise
    return False


async def expire(session: AsyncSession, booking_id: UUID) -> Booking | None:
    """Release the car of a booking that was not paid in time; None if there is nothing to do."""
    booking = await locked(session, booking_id)
    if booking.state != "pending_payment" or booking.hold_until > clock.now():
        return None
    await move(session, booking, "expired")
    await session.flush()
    await audit.record(session, "car_hire.booking_expired", "car_hire.booking", booking.id)
    await telling.unpaid(session, booking)
    return booking


async def cancel(
    session: AsyncSession,
    booking_id: UUID,
    expected: int | None = None,
    fee: Decimal | None = None,
) -> Booking:
    """Give the car back to the calendar; ``fee`` is kept of what was paid, or owed by a company.

    Raises:
        NotNow: it is out, or over.
    """
    booking = await locked(session, booking_id)
    await move(session, booking, "cancelled", expected)
    booking.fee = fee or None
    await session.flush()
    detail = {"fee": str(fee)} if fee else None
    await audit.record(
        session, "car_hire.booking_cancelled", "car_hire.booking", booking.id, detail
    )
    await emitting.cancelled(session, booking)
    await telling.cancelled(session, booking)
    return booking


async def no_show(
    session: AsyncSession,
    booking_id: UUID,
    expected: int | None = None,
    fee: Decimal | None = None,
) -> Booking:
    """The customer did not come; ``fee`` is kept of what was paid, or owed by a company.

    Raises:
        NotNow: the time has not come, or the booking is not waiting for anybody.
    """
    booking = await locked(session, booking_id)
    if booking.starts_at > clock.now():
        raise NotNow(_("The agreed time has not come yet"))
    await move(session, booking, "no_show", expected)
    booking.fee = fee or None
    await session.flush()
    detail = {"fee": str(fee)} if fee else None
    await audit.record(session, "car_hire.no_show", "car_hire.booking", booking.id, detail)
    await emitting.not_collected(session, booking)
    return booking
