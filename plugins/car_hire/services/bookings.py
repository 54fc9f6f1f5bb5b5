"""Bookings: a quote becomes a promise of one car."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import make_transient_to_detached

from core import clock
from core.audit import services as audit
from core.auth import identity
from core.errors import Invalid, NotFound
from core.i18n import _, fill
from core.ids import new_id
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow, NotWelcome, QuoteExpired, VehicleUnavailable
from plugins.car_hire.models import (
    Booking,
    Branch,
    Customer,
    Quote,
    Vehicle,
    VehicleClass,
    states,
)
from plugins.car_hire.permissions import DESK
from plugins.car_hire.services import (
    availability,
    checks,
    fleet,
    making_room,
    occupying,
    quotes,
    telling,
)
from plugins.car_hire.services.branches import whereabouts
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.extras import choosing, drivers, reserving
from plugins.car_hire.services.locking import (
    DEADLOCK,
    LOCK_TIMED_OUT,
    lock_vehicle,
    sqlstate,
)
from plugins.car_hire.services.occupying import Attempt, Period

PAGE_SIZE: Final = 50
ROUNDS: Final = 20
"""How often the whole calendar is looked at before a car is called unavailable."""

_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

Listed = Row[Booking, str, str, str, str]
"""A booking with the customer's name, the class's name, the car's make and model, its plate."""


async def place(session: AsyncSession, quote: Quote, customer: Customer, channel: str) -> Booking:
    """Promise a free car of the quoted class to ``customer``, until it is paid or the hold ends.

    A quote is booked once: who asks again gets the booking there is.

    Raises:
        QuoteExpired: the price is no longer promised.
        Unfit: the customer may not drive such a car then.
        NotWelcome: the desk has blocked the customer.
        VehicleUnavailable: every car of the class is taken.
        ExtraUnavailable: something that was chosen with it is taken.
        AgeDiffers: the price was made for a driver of another age.
        NotNow: somebody else booked on this quote.
    """
    chosen, known, moves = await _class_and_booking(session, quote)
    if known is not None:
        return _same_customer(known, customer)
    _check_welcome(customer)
    now = clock.now()
    if quote.expires_at < now:
        raise QuoteExpired
    _check_driver(session, customer, chosen, quote.starts_at, quote.ends_at)
    drivers.check_age(session, quote, customer)
    rules = await policy.read(session)
    values: dict[str, Any] = {
        "id": new_id(),
        "version": 1,
        "number": _number(),
        "quote_id": quote.id,
        "customer_id": customer.id,
        "class_id": quote.class_id,
        "starts_at": quote.starts_at,
        "ends_at": quote.ends_at,
        "state": "pending_payment",
        "channel": channel,
        "currency": quote.currency,
        "gross": quote.gross,
        "hold_until": now + timedelta(minutes=rules.hold_minutes),
        "created_at": now,
        "pinned": False,
        **Journey.of(quote)._asdict(),
    }
    period = occupying.blocked(quote.starts_at, quote.ends_at, rules.buffer)
    vehicle_id = await _insert(session, period, values)
    if vehicle_id is None:
        return await _twin(session, quote.id, customer)
    if moves:
        await whereabouts.refuse_stranded(session, [values["id"]])
    booking = _written(session, values | {"vehicle_id": vehicle_id})
    await _reserve_extras(session, booking, quote, period)
    await audit.record(
        session, "car_hire.booked", "car_hire.booking", booking.id, {"number": booking.number}
    )
    return booking


async def _reserve_extras(
    session: AsyncSession, booking: Booking, quote: Quote, period: Period
) -> None:
    if quote.asked.get("chosen"):
        wanted = choosing.counted(quotes.asked_then(quote))
        await reserving.reserve(session, booking.id, wanted, period)


def _check_welcome(customer: Customer) -> None:
    """Staff hear why; whoever is blocked hears where to ask."""
    if customer.blocked_at is None:
        return
    person = identity.current()
    if person is not None and person.may(DESK.name):
        why = customer.blocked_why or ""
        raise NotWelcome(fill(_("This customer is blocked: {why}"), why=why))
    raise NotWelcome


async def _insert(session: AsyncSession, period: Period, values: dict[str, Any]) -> UUID | None:
    """Give the booking a car, looking at the calendar afresh while others are faster.

    None if the quote was booked meanwhile.

    Raises:
        VehicleUnavailable: every car of the class is taken.
    """
    for _round in range(ROUNDS):
        made = await occupying.attempt(session, period, values)
        if made.first is not None and made.taken is None:
            made = await _wait(session, period, values, made.first)
        if made.booked is not None:
            return made.occupied
        if made.first is None:
            journey = Journey(values["pick_up_branch_id"], values["return_branch_id"])
            if made.is_full or not await making_room.make(
                session, values["class_id"], period, journey
            ):
                raise VehicleUnavailable
            continue
        if await _of_quote(session, values["quote_id"]) is not None:
            return None
    raise VehicleUnavailable


async def _wait(
    session: AsyncSession, period: Period, values: dict[str, Any], vehicle_id: UUID
) -> Attempt:
    """Look again once it is decided about a car, and let go of it if that was in vain."""
    try:
        async with session.begin_nested() as savepoint:
            await lock_vehicle(session, vehicle_id)
            made = await occupying.attempt(session, period, values)
            if made.booked is None:
                await savepoint.rollback()
    except DBAPIError as problem:
        if sqlstate(problem) not in {LOCK_TIMED_OUT, DEADLOCK}:
            raise
        return Attempt(vehicle_id, None, None, None)
    return made


def _written(session: AsyncSession, values: dict[str, Any]) -> Booking:
    """The row that was just written, without asking for it again."""
    booking = Booking(
        **values, payment_id=None, paid_quote_id=None, owed_at_pick_up=False, fee=None
    )
    make_transient_to_detached(booking)
    session.add(booking)
    return booking


async def _class_and_booking(
    session: AsyncSession, quote: Quote
) -> tuple[VehicleClass, Booking | None, bool]:
    """The quoted class, the booking if the quote was booked, and whether cars of the firm change
    branch at all: in one round trip."""
    elsewhere = select(Branch.id).where(~Branch.is_main).exists()
    query = (
        select(VehicleClass, Booking, elsewhere)
        .outerjoin(Booking, Booking.quote_id == quote.id)
        .where(VehicleClass.id == quote.class_id)
    )
    chosen, known, moves = (await session.execute(query)).one()
    return chosen, known, moves


async def _of_quote(session: AsyncSession, quote_id: UUID) -> Booking | None:
    return await session.scalar(select(Booking).where(Booking.quote_id == quote_id))


async def _twin(session: AsyncSession, quote_id: UUID, customer: Customer) -> Booking:
    """The booking that the same click, sent twice, made a moment ago."""
    known = await _of_quote(session, quote_id)
    if known is None:
        raise NotNow
    return _same_customer(known, customer)


def _same_customer(known: Booking, customer: Customer) -> Booking:
    if known.customer_id != customer.id:
        raise NotNow
    return known


async def check_driver(session: AsyncSession, booking: Booking, chosen: VehicleClass) -> None:
    """The customer may drive a car of another class at the time that is booked.

    Raises:
        Unfit: they may not.
    """
    customer = await session.get_one(Customer, booking.customer_id)
    _check_driver(session, customer, chosen, booking.starts_at, booking.ends_at)


def _check_driver(
    session: AsyncSession,
    customer: Customer,
    chosen: VehicleClass,
    starts_at: datetime,
    ends_at: datetime,
) -> None:
    tenant: Tenant = session.info["tenant"]
    checks.check_driver(
        customer.born,
        customer.licence_expires,
        minimum_age=chosen.minimum_age,
        starts_on=clock.local(starts_at, tenant.zone).date(),
        ends_on=clock.local(ends_at, tenant.zone).date(),
    )


def _number() -> str:
    """Forty bits that people can read out: no 0, O, 1, I or L."""
    drawn = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{drawn[:4]}-{drawn[4:]}"


async def one(session: AsyncSession, booking_id: UUID) -> Booking:
    """One booking.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Booking, booking_id)
    if found is None:
        raise NotFound(_("There is no such booking"))
    return found


async def by_number(session: AsyncSession, number: str) -> Booking:
    """The booking that people name so.

    Raises:
        Invalid: there is none.
    """
    wanted = select(Booking).where(Booking.number == number.strip().upper())
    found = await session.scalar(wanted)
    if found is None:
        raise Invalid(_("There is no booking of this number"), field="number")
    return found


async def class_of(session: AsyncSession, booking: Booking) -> VehicleClass:
    """The class that was booked."""
    return await fleet.vehicle_class(session, booking.class_id)


async def locked(session: AsyncSession, booking_id: UUID) -> Booking:
    """One booking, which nobody else changes until this transaction ends.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Booking, booking_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such booking"))
    return found


async def locked_all(session: AsyncSession, booking_ids: Sequence[UUID]) -> list[Booking]:
    """Several bookings in the order given, which nobody else changes until this transaction ends.

    Raises:
        NotFound: one of them is none.
    """
    query = select(Booking).where(Booking.id.in_(booking_ids)).order_by(Booking.id)
    query = query.with_for_update().execution_options(populate_existing=True)
    found = {each.id: each for each in await session.scalars(query)}
    if len(found) < len(set(booking_ids)):
        raise NotFound(_("There is no such booking"))
    return [found[each] for each in booking_ids]


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
    await telling.booked(session, booking)
    return True


async def _revive(session: AsyncSession, booking: Booking) -> bool:
    rules = await policy.read(session)
    period = occupying.blocked(booking.starts_at, booking.ends_at, rules.buffer)
    journey = Journey.of(booking)
    for vehicle_id in await availability.free_vehicles(session, booking.class_id, period, journey):
        if await _take_instead(session, booking, vehicle_id, period):
            await _reserve_extras(
                session, booking, await quotes.one(session, booking.quote_id), period
            )
            await move(session, booking, "confirmed")
            await session.flush()
            await audit.record(session, "car_hire.booking_revived", "car_hire.booking", booking.id)
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
    """Give the car back to the calendar; ``fee`` is kept of what was paid.

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
    await telling.cancelled(session, booking)
    return booking


async def no_show(
    session: AsyncSession,
    booking_id: UUID,
    expected: int | None = None,
    fee: Decimal | None = None,
) -> Booking:
    """The customer did not come; ``fee`` is kept of what was paid.

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
    return booking


async def page(
    session: AsyncSession,
    *,
    text: str = "",
    state: str = "",
    customer_id: UUID | None = None,
    vehicle_id: UUID | None = None,
    branch_id: UUID | None = None,
    before: UUID | None = None,
) -> Sequence[Listed]:
    """A page of bookings, newest first, one more than fits."""
    query = listed().order_by(Booking.id.desc()).limit(PAGE_SIZE + 1)
    if text:
        query = query.where(_found_by(text))
    if state:
        query = query.where(Booking.state == state)
    if customer_id:
        query = query.where(Booking.customer_id == customer_id)
    if vehicle_id:
        query = query.where(Booking.vehicle_id == vehicle_id)
    if branch_id:
        query = query.where(
            or_(Booking.pick_up_branch_id == branch_id, Booking.return_branch_id == branch_id)
        )
    if before:
        query = query.where(Booking.id < before)
    return (await session.execute(query)).all()


def _found_by(text: str) -> ColumnElement[bool]:
    """People and cars are looked for first, and then their bookings: asked row by row, a search
    that finds little would read every booking that there is."""
    wanted = text.lower()
    people = select(Customer.id).where(
        or_(
            func.lower(Customer.name).contains(wanted, autoescape=True),
            func.lower(Customer.email).contains(wanted, autoescape=True),
        )
    )
    plate = "".join(text.split()).upper()
    cars = select(Vehicle.id).where(Vehicle.plate.startswith(plate, autoescape=True))
    return or_(
        Booking.customer_id.in_(people),
        Booking.vehicle_id.in_(cars),
        Booking.number.startswith(text.upper(), autoescape=True),
    )


def listed() -> Select[Booking, str, str, str, str]:
    """Bookings with what a list shows beside them."""
    return (
        select(
            Booking,
            Customer.name,
            VehicleClass.name,
            (Vehicle.make + " " + Vehicle.model).label("vehicle"),
            Vehicle.plate,
        )
        .join(Customer, Customer.id == Booking.customer_id)
        .join(VehicleClass, VehicleClass.id == Booking.class_id)
        .join(Vehicle, Vehicle.id == Booking.vehicle_id)
    )
