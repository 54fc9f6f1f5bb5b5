"""What the desk and customers change of a booking that stands: its dates, its car, its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import Conflict, FieldError, Invalid
from core.i18n import _
from core.payments.services.payments import Payments
from core.payments.states import FAILED
from plugins.car_hire import policy
from plugins.car_hire.errors import Collision, NotNow, VehicleUnavailable
from plugins.car_hire.models import Booking, Occupancy, Vehicle
from plugins.car_hire.services import (
    announcing,
    availability,
    bookings,
    differences,
    fleet,
    locking,
    making_room,
    occupying,
    quotes,
)
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.differences import Repriced
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.extras import reserving
from plugins.car_hire.services.occupying import Period
from plugins.car_hire.services.prices import current
from plugins.car_hire.services.waiting import freeing

PAID_FOR: Final = "car_hire.booking"
"""What the payment of a booking is for, as ``paying`` names it."""


class OtherClass(Conflict):
    """The cars are of two classes, so what was promised would not be kept."""

    code = "car_hire.other_class"
    title = _("The cars are of different classes. Upgrade one of the bookings instead")


async def preview(
    session: AsyncSession, booking_id: UUID, starts_at: datetime, ends_at: datetime
) -> Repriced:
    """What other dates would cost; nothing is written.

    Raises:
        Invalid: the dates make no sense.
        Collision: the car is spoken for.
        ExtraUnavailable: something that is kept for the booking is taken then.
        NotNow: the booking is over.
    """
    booking = await bookings.one(session, booking_id)
    _check_dates(booking, starts_at, ends_at)
    period = await _period(session, booking, starts_at, ends_at)
    found = await occupying.in_the_way(session, [booking.vehicle_id], period, but=[booking.id])
    if found and not await _other_cars(session, booking, period):
        raise occupying.collision(found)
    quote = await quotes.one(session, booking.quote_id)
    if quote.asked.get("chosen"):
        kept = await reserving.of_booking(session, booking.id)
        await reserving.refuse_lacking(session, kept, period, but=booking.id)
    return await differences.of_dates(session, quote, starts_at, ends_at)


async def change_dates(
    session: AsyncSession,
    booking_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    expected: int | None = None,
) -> Booking:
    """Extend, shorten or shift a booking; the price follows by the terms of its quote.

    Where its car is spoken for, a booking that is neither pinned nor out gets another of its
    class.

    Raises:
        Invalid: the dates make no sense.
        Collision: the car is spoken for, and there is no other; it says by what.
        ExtraUnavailable: something that is kept for the booking is taken then.
        EditedMeanwhile: the booking changed since version ``expected``.
        NotNow: it is over, or just being paid.
    """
    booking = await bookings.locked(session, booking_id)
    with session.no_autoflush:  # the booking is written once, when all of it is known
        edit(booking, expected)
        _check_dates(booking, starts_at, ends_at)
        await check_payment(session, booking)
        quote = await quotes.one(session, booking.quote_id)
        made = await differences.of_dates(session, quote, starts_at, ends_at)
        period = await _period(session, booking, starts_at, ends_at)
        before, cost = [booking.starts_at, booking.ends_at], booking.gross
        await _place(session, booking, period)
        if quote.asked.get("chosen"):
            await reserving.move(session, booking.id, period)
        booking.starts_at, booking.ends_at = starts_at, ends_at
        await differences.keep(session, booking, quote, made)
    await audit.record(
        session, "car_hire.booking_changed", "car_hire.booking", booking.id,
        {"from": before, "to": [starts_at, ends_at], "difference": str(made.difference.amount)},
    )  # fmt: skip
    await announcing.changed(session, booking, cost)
    await freeing.freed(session, booking.class_id)
    return booking


async def _place(session: AsyncSession, booking: Booking, period: Period) -> None:
    await occupying.lock(session, [booking.vehicle_id])
    try:
        await occupying.change(session, booking.id, booking.vehicle_id, period)
    except Collision:
        for other in await _other_cars(session, booking, period):
            # Having one car already, it waits for no other: two who did so for each other would.
            if await locking.try_vehicles(session, [other]):
                await occupying.change(session, booking.id, other, period)
                booking.vehicle_id = other
                return
        raise


async def _other_cars(session: AsyncSession, booking: Booking, period: Period) -> Sequence[UUID]:
    if booking.pinned or booking.state not in making_room.MOVABLE:
        return ()
    if await _is_being_handed_over(session, booking):
        return ()
    return await availability.free_vehicles(
        session, booking.class_id, period, Journey.of(booking), salt=str(booking.id)
    )


async def _period(
    session: AsyncSession, booking: Booking, starts_at: datetime, ends_at: datetime
) -> Period:
    """What the booking would take; a car that left early stays taken from then on."""
    rules = await policy.read(session)
    if booking.state == "out":
        known = await occupying.period_of(session, booking.id)
        if known is not None and known.lower is not None:
            starts_at = min(starts_at, known.lower)
    return occupying.blocked(starts_at, ends_at, rules.buffer)


def _check_dates(booking: Booking, starts_at: datetime, ends_at: datetime) -> None:
    if booking.state == "out":
        if starts_at != booking.starts_at:
            raise Invalid(_("The car has left: only the return can change"), field="starts_at")
        if ends_at < clock.now():
            raise Invalid(_("This time has passed"), field="ends_at")
        quotes.check_length(starts_at, ends_at)
    elif booking.state not in making_room.MOVABLE:
        raise NotNow
    elif starts_at != booking.starts_at:
        quotes.check_dates(starts_at, ends_at)
    else:
        quotes.check_length(starts_at, ends_at)


async def check_payment(session: AsyncSession, booking: Booking) -> None:
    """The price cannot change under a payment that is on its way.

    Raises:
        NotNow: one is.
    """
    if booking.state != "pending_payment" and not booking.owed_at_pick_up:
        return
    payments = await Payments(session).of(PAID_FOR, booking.id)
    if any(each.standing not in FAILED for each in payments):
        raise NotNow(_("This booking is just being paid. Try again when it is confirmed"))


async def pin(session: AsyncSession, booking_id: UUID, expected: int | None = None) -> Booking:
    """Keep a booking on its car, whoever could be helped by moving it."""
    return await _fix(session, booking_id, expected, pinned=True)


async def unpin(session: AsyncSession, booking_id: UUID, expected: int | None = None) -> Booking:
    """Let a booking be moved again."""
    return await _fix(session, booking_id, expected, pinned=False)


async def _fix(
    session: AsyncSession, booking_id: UUID, expected: int | None, *, pinned: bool
) -> Booking:
    booking = await bookings.locked(session, booking_id)
    if booking.pinned != pinned:
        edit(booking, expected)
        booking.pinned = pinned
        await session.flush()
        action = "car_hire.booking_pinned" if pinned else "car_hire.booking_unpinned"
        await audit.record(session, action, "car_hire.booking", booking.id)
    return booking


async def move(
    session: AsyncSession, booking_id: UUID, vehicle_id: UUID, expected: int | None = None
) -> Booking:
    """Give a booking another car, at the same price, of whatever class it is.

    Raises:
        Collision: the car is spoken for; it says by what.
        VehicleUnavailable: the car is in maintenance or retired.
        NotNow: the car of the booking is out, or being handed over.
    """
    ((booking, period),) = await _movable(session, booking_id)
    edit(booking, expected)
    await occupying.lock(session, [booking.vehicle_id, vehicle_id])
    car = await fleet.vehicle(session, vehicle_id)
    if car.status != "available":
        raise VehicleUnavailable(_("This car is in maintenance or retired"))
    await occupying.change(session, booking.id, vehicle_id, period)
    before, promised = booking.vehicle_id, booking.class_id
    booking.vehicle_id, booking.class_id = vehicle_id, car.class_id
    await session.flush()
    await _moved(session, {booking: before})
    if car.class_id != promised:
        await announcing.changed(session, booking, booking.gross)
    return booking


async def swap(session: AsyncSession, one_id: UUID, other_id: UUID) -> tuple[Booking, Booking]:
    """Let two bookings of a class have each other's car.

    Raises:
        OtherClass: their cars are of different classes.
        Collision: something else is in the way of one of them.
        NotNow: one of the cars is out, or being handed over.
    """
    if one_id == other_id:
        raise Invalid(_("Choose another booking"), field="other_id")
    (one, period), (other, other_period) = await _movable(session, one_id, other_id)
    if one.class_id != other.class_id:
        raise OtherClass
    cars = {one: one.vehicle_id, other: other.vehicle_id}
    await occupying.lock(session, cars.values())
    places = {one.id: (cars[other], period), other.id: (cars[one], other_period)}
    await occupying.exchange(session, places)
    one.vehicle_id, other.vehicle_id = cars[other], cars[one]
    edit(one, None)
    edit(other, None)
    await session.flush()
    await _moved(session, cars)
    return one, other


async def preview_upgrade(session: AsyncSession, booking_id: UUID, class_id: UUID) -> Repriced:
    """What another class would cost for the same dates; nothing is written."""
    booking = await bookings.one(session, booking_id)
    return await _of_class(session, booking, class_id)


async def upgrade(
    session: AsyncSession, booking_id: UUID, class_id: UUID, expected: int | None = None
) -> Booking:
    """Give a booking a free car of another class, at the price of that class.

    Raises:
        VehicleUnavailable: no car of the class is free.
        Unfit: the driver may not drive such a car.
        NotNow: the car is out, or being handed over, or the booking is just being paid.
    """
    ((booking, period),) = await _movable(session, booking_id)
    edit(booking, expected)
    await check_payment(session, booking)
    made = await _of_class(session, booking, class_id)
    await bookings.check_driver(session, booking, made.chosen)
    free = await availability.free_vehicles(
        session, class_id, period, Journey.of(booking), salt=str(booking.id)
    )
    if not free:
        raise VehicleUnavailable
    await occupying.lock(session, [booking.vehicle_id, free[0]])
    await occupying.change(session, booking.id, free[0], period)
    before, cost = booking.vehicle_id, booking.gross
    quote = await quotes.one(session, booking.quote_id)
    await differences.keep(session, booking, quote, made)
    booking.vehicle_id, booking.class_id = free[0], class_id
    await session.flush()
    await _moved(session, {booking: before})
    await announcing.changed(session, booking, cost)
    return booking


async def _of_class(session: AsyncSession, booking: Booking, class_id: UUID) -> Repriced:
    quote = await quotes.one(session, booking.quote_id)
    chosen = await fleet.vehicle_class(session, class_id)
    if class_id == booking.class_id or chosen.currency != booking.currency:
        raise Invalid(errors=[FieldError("class_id", _("Choose another class"))])
    prices = await current.read(session, class_id)
    terms = prices.terms(class_id, quote.starts_at, await policy.read(session))
    return await differences.of_class(session, quote, chosen, terms)


async def _movable(session: AsyncSession, *booking_ids: UUID) -> list[tuple[Booking, Period]]:
    """Bookings in the order given, locked, with what they have of their cars' time.

    Raises:
        NotNow: one of them is out or over, or its car is being handed over.
    """
    found = await bookings.locked_all(session, booking_ids)
    if any(each.state not in making_room.MOVABLE for each in found):
        raise NotNow
    # Asked only now: what was read while waiting for the locks may have changed meanwhile.
    occupied = Occupancy.__table__.c
    query = select(occupied.id, occupied.period, making_room.is_handed_over(occupied.booking_id))
    rows = (await session.execute(query.where(occupied.id.in_(booking_ids)))).all()
    if any(is_handed_over for _id, _period, is_handed_over in rows):
        raise NotNow
    periods = {row[0]: row[1] for row in rows}
    return [(each, periods[each.id]) for each in found]


async def _is_being_handed_over(session: AsyncSession, booking: Booking) -> bool:
    return bool(await session.scalar(select(making_room.is_handed_over(literal(booking.id)))))


async def _moved(session: AsyncSession, before: Mapping[Booking, UUID]) -> None:
    details = {each.id: {"vehicle_id": [car, each.vehicle_id]} for each, car in before.items()}
    await audit.record_each(session, "car_hire.booking_moved", "car_hire.booking", details)


async def cars_for(session: AsyncSession, booking: Booking) -> list[Vehicle]:
    """Cars of the booking's class that it could have instead of its own."""
    period = await occupying.period_of(session, booking.id)
    if period is None:
        return []
    free = await availability.free_vehicles(session, booking.class_id, period, Journey.of(booking))
    query = select(Vehicle).where(Vehicle.id.in_(free)).order_by(Vehicle.plate).limit(50)
    return list(await session.scalars(query))
