"""A quote becomes a booking with a car."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import make_transient_to_detached

from core import clock
from core.audit import services as audit
from core.auth import identity
from core.i18n import _, fill
from core.ids import new_id
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow, NotWelcome, QuoteExpired, VehicleUnavailable
from plugins.car_hire.models import Booking, Branch, Customer, Quote, VehicleClass
from plugins.car_hire.permissions import DESK
from plugins.car_hire.services import checks, making_room, occupying, quotes
from plugins.car_hire.services.branches import whereabouts
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.extras import choosing, drivers, reserving
from plugins.car_hire.services.locking import DEADLOCK, LOCK_TIMED_OUT, lock_vehicle, sqlstate
from plugins.car_hire.services.occupying import Attempt, Period
from plugins.car_hire.services.promotions import students, using
from plugins.car_hire.services.waiting import holding

ROUNDS: Final = 20
"""How often the whole calendar is looked at before a car is called unavailable."""

_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


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
        NotVerified: it was made for a student, and the customer is not known as one.
        UsedUp: the code that the price was made with is used up.
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
    students.check(session, quote, customer)
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
    await holding.take(session, quote)
    vehicle_id = await _insert(session, period, values)
    if vehicle_id is None:
        return await _twin(session, quote.id, customer)
    if moves:
        await whereabouts.refuse_stranded(session, [values["id"]])
    booking = _written(session, values | {"vehicle_id": vehicle_id})
    await reserve_extras(session, booking, quote, period)
    await using.take(session, booking, quote)
    await audit.record(
        session, "car_hire.booked", "car_hire.booking", booking.id, {"number": booking.number}
    )
    return booking


async def reserve_extras(
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
