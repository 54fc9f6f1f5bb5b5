"""Hires: a booked car drives off, and comes back to a bill."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth import identity
from core.billing import usage
from core.errors import Conflict, FieldError, NotFound
from core.i18n import _
from core.ids import new_id
from core.money import Money
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.errors import Collision, NotNow, NotPaid
from plugins.car_hire.models import BillLine, Booking, Hire, Vehicle, states
from plugins.car_hire.models.zones import IN, OUT
from plugins.car_hire.schemas import HireInput, ReturnInput
from plugins.car_hire.services import (
    adding,
    bookings,
    checks,
    customers,
    differences,
    emitting,
    occupying,
    pricing,
    quotes,
    steps,
)
from plugins.car_hire.services.branches import returning
from plugins.car_hire.services.companies import keeping
from plugins.car_hire.services.damages import charging, tables
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.extras import reserving
from plugins.car_hire.services.inspections import drafts
from plugins.car_hire.services.locking import UNIQUE, lock_vehicle, sqlstate
from plugins.car_hire.services.papers import agreements
from plugins.car_hire.services.vehicles import documents

HIRES_STARTED: Final = "car_hire.hires_started"

LONGEST_JOURNEY_KM: Final = 200_000
"""A reading further on than this is a typing error."""


class VehicleNotHere(Conflict):
    """The car of the booking cannot be handed over."""

    code = "car_hire.vehicle_not_here"
    title = _("This car is still with another customer or in maintenance. Choose another car")


async def prepare(session: AsyncSession, given: HireInput) -> Hire:
    """Check driver and car, note odometer and fuel, and ask for the deposit.

    The car is on hire once the deposit is authorised (``depart``); without one, at once. Asked
    again, it answers with the hire there is.

    Raises:
        Unfit: the licence does not last, or the driver is too young.
        PhotosMissing: the firm wants every photo.
        VehicleNotHere: the car is out or in maintenance.
        PapersLapse: the firm lets no car leave whose papers lapse during the hire.
        NotNow: the booking is not confirmed, or it is too early.
        NotPaid: the price was to be paid at pick-up, and is not.
        Invalid: naming the reading, or the field of a plugin's step, at fault.
        ExtensionFailed: a plugin could not be asked whether its step is satisfied.
    """
    booking = await bookings.locked(session, given.booking_id)
    known = await of_booking(session, booking.id)
    if known is not None and known.state != "abandoned":
        return known
    states.check(states.BOOKING, booking.state, "out")
    if booking.owed_at_pick_up:
        raise NotPaid
    await _check_driver(session, booking)
    await lock_vehicle(session, booking.vehicle_id)
    vehicle = await session.get(
        Vehicle, booking.vehicle_id, with_for_update=True, populate_existing=True
    )
    assert vehicle is not None
    _check_handover(vehicle, given)
    await documents.refuse_lapsing(session, booking)
    chosen = await bookings.class_of(session, booking)
    kept = await steps.satisfied(session, booking, chosen, given.steps)
    await drafts.finish(
        session, booking, OUT, odometer_km=given.odometer_km, fuel_eighths=given.fuel_eighths
    )
    await _block_from_now(session, booking)
    hire = known or Hire(id=new_id(), version=1, booking_id=booking.id, currency=booking.currency)
    quote = await quotes.one(session, booking.quote_id)
    hire.steps = kept
    deposit = await keeping.deposit(session, booking, quote.deposit)
    await _note(session, hire, vehicle, given, deposit)
    if not deposit:
        await depart(session, hire.id)
    return hire


async def _note(
    session: AsyncSession, hire: Hire, vehicle: Vehicle, given: HireInput, deposit: Decimal
) -> None:
    person = identity.current()
    try:
        async with session.begin_nested():
            hire.vehicle_id = vehicle.id
            hire.state = "awaiting_deposit"
            hire.odometer_out = given.odometer_km
            hire.fuel_out = given.fuel_eighths
            hire.deposit = deposit
            hire.started_by = person.user_id if person else None
            session.add(hire)
    except DBAPIError as problem:
        if sqlstate(problem) == UNIQUE:
            raise VehicleNotHere from problem
        raise
    await audit.record(
        session, "car_hire.hire_prepared", "car_hire.hire", hire.id,
        {"odometer_km": given.odometer_km, "fuel_eighths": given.fuel_eighths},
    )  # fmt: skip


async def _check_driver(session: AsyncSession, booking: Booking) -> None:
    tenant: Tenant = session.info["tenant"]
    rules = await policy.read(session)
    now = clock.now()
    if now < booking.starts_at - timedelta(minutes=rules.early_minutes):
        raise NotNow(_("It is too early to hand this car over"))
    if now >= booking.ends_at:
        raise NotNow(_("This booking's time is over"))
    customer = await customers.one(session, booking.customer_id)
    chosen = await bookings.class_of(session, booking)
    checks.check_driver(
        customer.born,
        customer.licence_expires,
        minimum_age=chosen.minimum_age,
        starts_on=clock.local(booking.starts_at, tenant.zone).date(),
        ends_on=clock.local(booking.ends_at, tenant.zone).date(),
    )


def _check_handover(vehicle: Vehicle, given: HireInput) -> None:
    if vehicle.status != "available":
        raise VehicleNotHere
    checks.refuse(
        [
            None
            if given.licence_seen
            else FieldError("licence_seen", _("Look at the licence before handing over the car")),
            FieldError("odometer_km", _("The odometer showed more than this before"))
            if given.odometer_km < vehicle.odometer_km
            else None,
            FieldError("odometer_km", _("That is too far from the last reading"))
            if given.odometer_km > vehicle.odometer_km + LONGEST_JOURNEY_KM
            else None,
        ]
    )


async def _block_from_now(session: AsyncSession, booking: Booking) -> None:
    """A car handed over early is taken from now on."""
    now = clock.now()
    period = await occupying.period_of(session, booking.id)
    assert period is not None
    assert period.lower is not None
    if now >= period.lower:
        return
    earlier = Range(now, period.upper, bounds="[)")
    try:
        await occupying.change(session, booking.id, booking.vehicle_id, earlier)
    except Collision as problem:
        raise VehicleNotHere from problem
    await reserving.move(session, booking.id, earlier)


async def depart(session: AsyncSession, hire_id: UUID) -> Hire:
    """The deposit is held (or none is asked): the car drives off. Once, however often it is said.

    Raises:
        NotNow: the booking was cancelled meanwhile.
    """
    hire = await locked(session, hire_id)
    if hire.state not in {"awaiting_deposit"}:
        return hire
    booking = await bookings.locked(session, hire.booking_id)
    await bookings.move(session, booking, "out")
    _move(hire, "out")
    hire.started_at = clock.now()
    vehicle = await session.get(Vehicle, hire.vehicle_id, with_for_update=True)
    assert vehicle is not None
    edit(vehicle, None)
    vehicle.odometer_km, vehicle.fuel_eighths = hire.odometer_out, hire.fuel_out
    await session.flush()
    await agreements.when_signed(session, hire, booking)
    await usage.record(session, HIRES_STARTED, 1, str(hire.id))
    await audit.record(session, "car_hire.hire_started", "car_hire.hire", hire.id)
    await emitting.started(session, hire, booking)
    return hire


async def abandon(session: AsyncSession, hire_id: UUID, expected: int | None = None) -> Hire:
    """The deposit was refused and the customer leaves without the car; the booking stands.

    Raises:
        NotNow: the car is out already.
    """
    hire = await locked(session, hire_id)
    _move(hire, "abandoned", expected)
    await drafts.reopen(session, hire.booking_id)
    await session.flush()
    await audit.record(session, "car_hire.hire_abandoned", "car_hire.hire", hire.id)
    return hire


async def preview(session: AsyncSession, hire_id: UUID, given: ReturnInput) -> pricing.Priced:
    """The bill as it would be; nothing is written.

    Raises:
        Invalid: naming the reading at fault.
        NotNow: the car is not out.
    """
    hire = await one(session, hire_id)
    states.check(states.HIRE, hire.state, "returned")
    booking = await bookings.one(session, hire.booking_id)
    return await _bill(session, hire, booking, given, given.returned_at or clock.now())


async def take_back(
    session: AsyncSession, hire_id: UUID, given: ReturnInput, expected: int | None = None
) -> Hire:
    """The car is back: keep the readings and the bill, and free the car for the next.

    Asked again with the same readings, it answers with the hire as it is.

    Raises:
        Invalid: naming the reading at fault, or damage that has no price.
        PhotosMissing: the firm wants every photo.
        NotNow: the car is not out.
        EditedMeanwhile: the hire changed since version ``expected``.
    """
    hire = await locked(session, hire_id)
    if hire.state in {"returned", "closed"} and _same_readings(hire, given):
        return hire
    states.check(states.HIRE, hire.state, "returned")
    booking = await bookings.locked(session, hire.booking_id)
    returned_at = given.returned_at or clock.now()
    priced = await _bill(session, hire, booking, given, returned_at)
    await drafts.finish(
        session, booking, IN, odometer_km=given.odometer_km, fuel_eighths=given.fuel_eighths
    )
    _move(hire, "returned", expected)
    await bookings.move(session, booking, "returned")
    person = identity.current()
    hire.returned_at = returned_at
    hire.odometer_in, hire.fuel_in = given.odometer_km, given.fuel_eighths
    hire.taken_back_by = person.user_id if person else None
    hire.billed = priced.gross.amount
    hire.deposit_kept = given.keep_deposit and hire.deposit_payment_id is not None
    session.add_all(quotes.rows(BillLine, priced.lines, hire_id=hire.id))
    vehicle = await session.get(Vehicle, hire.vehicle_id, with_for_update=True)
    assert vehicle is not None
    edit(vehicle, None)
    vehicle.odometer_km, vehicle.fuel_eighths = given.odometer_km, given.fuel_eighths
    hire.return_branch_id = given.return_branch_id or booking.return_branch_id
    vehicle.branch_id, vehicle.branch_since = hire.return_branch_id, returned_at
    await session.flush()
    await audit.record(
        session, "car_hire.hire_returned", "car_hire.hire", hire.id,
        {"odometer_km": given.odometer_km, "fuel_eighths": given.fuel_eighths,
         "billed": str(priced.gross.amount)},
    )  # fmt: skip
    await emitting.returned(session, hire, booking)
    return hire


async def _bill(
    session: AsyncSession,
    hire: Hire,
    booking: Booking,
    given: ReturnInput,
    returned_at: datetime,
) -> pricing.Priced:
    assert hire.started_at is not None
    checks.refuse(
        [
            FieldError("odometer_km", _("The odometer showed more when the car left"))
            if given.odometer_km < hire.odometer_out
            else None,
            FieldError("odometer_km", _("That is too far for one hire"))
            if given.odometer_km > hire.odometer_out + LONGEST_JOURNEY_KM
            else None,
            FieldError("returned_at", _("The car left after that"))
            if returned_at < hire.started_at
            else None,
            FieldError("returned_at", _("This time has not come yet"))
            if returned_at > clock.now() + timedelta(minutes=1)
            else None,
        ]
    )
    quote = await quotes.one(session, booking.quote_id)
    terms = await charging.with_cleaning(session, hire, quotes.terms_then(quote))
    tables.refuse_unknown_level(terms.cleaning, given.cleaning)
    came_back = await returning.priced(session, booking, quote, given.return_branch_id, returned_at)
    seen = pricing.Readings(
        due_at=booking.ends_at,
        returned_at=returned_at,
        odometer_out=hire.odometer_out,
        odometer_in=given.odometer_km,
        fuel_out=hire.fuel_out,
        fuel_in=given.fuel_eighths,
        cleaning=given.cleaning,
        damages=await charging.damages(session, hire, booking),
        covers=tuple(each.code for each in terms.waivers),
        out_of_hours=came_back.out_of_hours,
        one_way=came_back.one_way,
    )
    chosen = await bookings.class_of(session, booking)
    priced = await adding.to_bill(session, hire, chosen, terms, quote.days, seen)
    return await differences.settled(session, booking, quote, priced)


def _same_readings(hire: Hire, given: ReturnInput) -> bool:
    return (hire.odometer_in, hire.fuel_in) == (given.odometer_km, given.fuel_eighths)


def owed(hire: Hire) -> tuple[Money, Money]:
    """What to take from the deposit, and what the deposit does not cover."""
    billed = Money(max(hire.billed or Decimal(0), Decimal(0)), hire.currency)
    deposit = Money(hire.deposit if hire.deposit_payment_id else Decimal(0), hire.currency)
    taken = min(billed, deposit)
    return taken, billed - taken


async def close(session: AsyncSession, hire_id: UUID) -> Hire | None:
    """The money is settled: nothing is left to do. None if that was so before."""
    hire = await locked(session, hire_id)
    if hire.state != "returned":
        return None
    booking = await bookings.locked(session, hire.booking_id)
    _move(hire, "closed")
    await bookings.move(session, booking, "closed")
    hire.settled_at = clock.now()
    await session.flush()
    await audit.record(session, "car_hire.hire_closed", "car_hire.hire", hire.id)
    await emitting.closed(session, hire, booking)
    return hire


def _move(hire: Hire, state: str, expected: int | None = None) -> None:
    states.check(states.HIRE, hire.state, state)
    edit(hire, expected)
    hire.state = state


async def one(session: AsyncSession, hire_id: UUID) -> Hire:
    """One hire.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Hire, hire_id)
    if found is None:
        raise NotFound(_("There is no such hire"))
    return found


async def locked(session: AsyncSession, hire_id: UUID) -> Hire:
    """One hire, which nobody else changes until this transaction ends.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Hire, hire_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such hire"))
    return found


async def of_booking(session: AsyncSession, booking_id: UUID) -> Hire | None:
    """The hire that a booking became, if it did."""
    return await session.scalar(select(Hire).where(Hire.booking_id == booking_id))


async def bill_lines(session: AsyncSession, hire_id: UUID) -> Sequence[BillLine]:
    """The lines of the bill, in order."""
    query = select(BillLine).where(BillLine.hire_id == hire_id).order_by(BillLine.position)
    return (await session.scalars(query)).all()
