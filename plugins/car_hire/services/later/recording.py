"""A fine or toll is noted: whoever had the car then is found by its plate and the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth import identity
from core.errors import FieldError, Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from core.money import Money
from core.storage import services as storage
from core.storage.models import StoredFile
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, Customer, Hire, LaterCharge, Vehicle
from plugins.car_hire.schemas_later import LaterInput
from plugins.car_hire.services import checks, evidence, quotes
from plugins.car_hire.services.editing import edit

AREA: Final = "car_hire.later"
"""Where what shows them is kept (``plugin.py``)."""
PAGE_SIZE: Final = 50

A_MINUTE: Final = timedelta(minutes=1)
"""Whoever asks for something tells its time in minutes."""

_NOTED: Final = _("This number of theirs was noted before")

Listed = Row[LaterCharge, str, str, str]
"""A charge with the booking's number, the customer's name and the plate."""


async def hire_at(session: AsyncSession, plate: str, at: datetime) -> Hire:
    """The hire that had the car of this plate at that moment (aware).

    Raises:
        Invalid: naming the plate nobody knows, or the time at which the car was with nobody.
    """
    car = Vehicle.plate == checks.normal_plate(plate)
    if await session.scalar(select(Vehicle.id).where(car).limit(1)) is None:
        raise Invalid(errors=[FieldError("plate", _("No car has this plate"))])
    query = (
        select(Hire)
        .join(Vehicle, Vehicle.id == Hire.vehicle_id)
        .where(car, Hire.started_at < at + A_MINUTE)
        .where(or_(Hire.returned_at.is_(None), Hire.returned_at >= at))
        .order_by(Hire.started_at.desc())
    )
    found = (await session.scalars(query.limit(1))).one_or_none()
    if found is None:
        text = _("The car was with no customer then; it is the business's own to pay")
        raise Invalid(errors=[FieldError("happened_at", text)])
    return found


async def record(session: AsyncSession, given: LaterInput) -> LaterCharge:
    """Note what was asked for; nobody is charged yet.

    Raises:
        Invalid: as ``hire_at``; it lies ahead, or their number was noted before.
    """
    if given.happened_at > clock.now():
        raise Invalid(_("This time has not come yet"), field="happened_at")
    hire = await hire_at(session, given.plate, given.happened_at)
    checks.coins(given.amount, hire.currency)
    await _refuse_known(session, hire, given)
    booking = await session.get_one(Booking, hire.booking_id)
    terms = quotes.terms_then(await quotes.one(session, booking.quote_id))
    rules = await policy.read(session)
    rate = terms.taxes.of("hire")
    fee = Money(rules.later_fee if given.with_fee else Decimal(0), hire.currency).rounded()
    person = identity.current()
    made = LaterCharge(
        id=new_id(), version=1, kind=given.kind, state="recorded", hire_id=hire.id,
        booking_id=booking.id, customer_id=booking.customer_id, vehicle_id=hire.vehicle_id,
        happened_at=given.happened_at, authority=given.authority, reference=given.reference,
        currency=hire.currency, amount=given.amount, fee=fee.amount, tax_rate=rate,
        gross=given.amount + fee.amount + (fee * rate).rounded().amount,
        recorded_by=person.user_id if person else None,
    )  # fmt: skip
    try:
        async with session.begin_nested():
            session.add(made)
    except IntegrityError as problem:
        raise Invalid(_NOTED, field="reference") from problem
    told = {"kind": made.kind, "amount": str(made.amount), "reference": made.reference}
    await audit.record(session, "car_hire.later_recorded", "car_hire.later", made.id, told)
    return made


async def _refuse_known(session: AsyncSession, hire: Hire, given: LaterInput) -> None:
    """The same letter is often read by two: of one hire, letters and digits of a number tell,
    however it and the authority are spelt. The hire is locked, so that both are not first."""
    await session.get(Hire, hire.id, with_for_update=True)
    known = await session.scalars(
        select(LaterCharge.reference).where(
            LaterCharge.hire_id == hire.id, LaterCharge.kind == given.kind
        )
    )
    if _plain(given.reference) in {_plain(each) for each in known}:
        raise Invalid(_NOTED, field="reference")


def _plain(reference: str) -> str:
    return "".join(each for each in reference.casefold() if each.isalnum())


async def show_by(session: AsyncSession, later_id: UUID, file: StoredFile) -> LaterCharge:
    """Keep what shows it, in the place of what was kept before.

    Raises:
        NotNow: the customer has been told already.
        Invalid: it is neither a PDF nor a picture.
    """
    found = await locked(session, later_id)
    if found.state != "recorded":
        await storage.discard(session, file.id)
        raise NotNow
    await evidence.put(session, found, file)
    edit(found, None)
    await session.flush()
    return found


async def one(session: AsyncSession, later_id: UUID) -> LaterCharge:
    """One of them.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(LaterCharge, later_id)
    if found is None:
        raise NotFound(_("There is no such fine or toll"))
    return found


async def locked(session: AsyncSession, later_id: UUID) -> LaterCharge:
    """One of them, which nobody else changes until this transaction ends.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(LaterCharge, later_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such fine or toll"))
    return found


def listed() -> Select[LaterCharge, str, str, str]:
    """Charges with whom and what they are about."""
    return (
        select(LaterCharge, Booking.number, Customer.name, Vehicle.plate)
        .join(Booking, Booking.id == LaterCharge.booking_id)
        .join(Customer, Customer.id == LaterCharge.customer_id)
        .join(Vehicle, Vehicle.id == LaterCharge.vehicle_id)
    )


async def page(
    session: AsyncSession, *, text: str = "", state: str = "", before: UUID | None = None
) -> Sequence[Listed]:
    """A page of them, newest first, one more than fits; ``text`` begins a plate, a reference or a
    booking's number, or is part of a name."""
    query = listed().order_by(LaterCharge.id.desc()).limit(PAGE_SIZE + 1)
    if text:
        upper = "".join(text.split()).upper()
        query = query.where(
            or_(
                Vehicle.plate.startswith(upper, autoescape=True),
                Booking.number.startswith(text.upper(), autoescape=True),
                LaterCharge.reference.startswith(text, autoescape=True),
                func.lower(Customer.name).contains(text.lower(), autoescape=True),
            )
        )
    if state:
        query = query.where(LaterCharge.state == state)
    if before:
        query = query.where(LaterCharge.id < before)
    return (await session.execute(query)).all()


async def of_booking(session: AsyncSession, booking_id: UUID) -> Sequence[LaterCharge]:
    """Those of one booking, the oldest first."""
    query = select(LaterCharge).where(LaterCharge.booking_id == booking_id)
    return (await session.scalars(query.order_by(LaterCharge.id))).all()


async def belongs(session: AsyncSession, file_id: UUID, user_id: UUID) -> bool:
    """Whether a file shows what this customer was charged with."""
    query = (
        select(LaterCharge.id)
        .join(Customer, Customer.id == LaterCharge.customer_id)
        .where(and_(LaterCharge.file_id == file_id, LaterCharge.state != "recorded"))
        .where(Customer.user_id == user_id)
    )
    return await session.scalar(query) is not None
