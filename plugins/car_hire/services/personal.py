"""What car hire keeps of people, told and forgotten. Bookings, bills and photos of cars stay,
without a name; signatures go."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.models import User
from core.errors import Conflict
from core.i18n import _
from core.payments.services import cards
from core.payments.services.payments import Payments
from core.personal import PersonalData, Rows
from plugins.car_hire.models import (
    Booking,
    CalendarFeed,
    CompanyMember,
    Customer,
    CustomerNote,
    Hire,
    Inspection,
    LaterCharge,
    Paper,
    Quote,
    Review,
    Wait,
    states,
)
from plugins.car_hire.services import bill_lines
from plugins.car_hire.services.companies import keeping
from plugins.car_hire.services.inspections import pictures
from plugins.car_hire.services.papers import agreements
from plugins.car_hire.services.telling import BOOKING, HIRE, LATER
from plugins.car_hire.services.waiting import freeing, holding

UNKNOWN: Final = date(1900, 1, 1)
"""A day that says nothing, where one must be kept."""


class StillHiring(Conflict):
    """A booking or a bill is open."""

    code = "car_hire.still_hiring"
    title = _("This person has a booking that is not over. End or cancel it first")


async def export(session: AsyncSession, user_id: UUID) -> Rows:
    """The customer with their licence, and every booking with what was entered at hand-over."""
    found = await session.scalars(select(Customer).where(Customer.user_id == user_id))
    return [
        {
            "name": each.name,
            "email": each.email,
            "phone": each.phone,
            "licence_number": each.licence_number,
            "licence_country": each.licence_country,
            "licence_expires": each.licence_expires,
            "born": each.born,
            "billing_name": each.billing_name,
            "tax_number": each.tax_number,
            "billing_address": each.billing_address,
            "student_until": each.student_until,
            "student_asked_at": each.student_asked_at,
            "papers": await _papers(session, each.id),
            "company": await _company(session, each.id),
            "bookings": await _bookings(session, each.id),
            "notes": await _notes(session, each.id),
            "fines_and_tolls": await _later(session, each.id),
            "reviews": await _reviews(session, each.id),
            "calendar_for_programs": await _feed(session, each.id),
            "waits": await _waits(session, each),
        }
        for each in found
    ]


async def _bookings(session: AsyncSession, customer_id: UUID) -> Rows:
    rows = (
        select(Booking, Hire, Quote.asked["discounts"])
        .join(Quote, Quote.id == Booking.quote_id)
        .outerjoin(Hire, Hire.booking_id == Booking.id)
    )
    found = await session.execute(rows.where(Booking.customer_id == customer_id))
    return [
        {
            "number": booking.number,
            "state": booking.state,
            "starts_at": booking.starts_at,
            "ends_at": booking.ends_at,
            "gross": booking.gross,
            "promotion": next((each["code"] for each in discounts or ()), None),
            "currency": booking.currency,
            "steps": hire.steps if hire else {},
            "agreement": await _agreement(session, hire.id) if hire else None,
            "evidence": [f"/files/{each}" for each in await bill_lines.files_of(session, hire.id)]
            if hire
            else [],
            "inspections": await _inspections(session, booking.id),
            "payments": [
                *await _payments(session, BOOKING, booking.id),
                *(await _payments(session, HIRE, hire.id) if hire else ()),
            ],
        }
        for booking, hire, discounts in found.all()
    ]


async def _payments(session: AsyncSession, kind: str, subject_id: UUID) -> Rows:
    """What was paid or held for something, and whether the card is kept for another time."""
    return [
        {
            "purpose": each.purpose,
            "state": each.state,
            "amount": each.amount,
            "currency": each.currency,
            "method": each.method,
            "card": each.card,
            "card_is_kept": each.has_saved_card,
            "created_at": each.created_at,
        }
        for each in await Payments(session).of(kind, subject_id)
    ]


async def _agreement(session: AsyncSession, hire_id: UUID) -> str | None:
    """Where the agreement that somebody signed is served."""
    found = await agreements.of_hire(session, hire_id)
    return f"/files/{found[1]}" if found and found[1] else None


async def _inspections(session: AsyncSession, booking_id: UUID) -> Rows:
    """What was noted of somebody when a car was looked at, and where the photos are served."""
    found = await session.scalars(
        select(Inspection).where(Inspection.booking_id == booking_id).order_by(Inspection.id)
    )
    return [
        {
            "kind": each.kind,
            "done_at": each.done_at,
            "notes": each.notes,
            "customer_name": each.customer_name,
            "pictures": {
                row.view if row.damage_id is None else str(row.damage_id): row.path
                for row in await pictures.of(session, [each.id])
            },
        }
        for each in found.all()
    ]


async def _company(session: AsyncSession, customer_id: UUID) -> str | None:
    """The name of whom somebody hires for."""
    found = await keeping.of_customer(session, customer_id)
    return found.name if found else None


async def _later(session: AsyncSession, customer_id: UUID) -> Rows:
    rows = select(LaterCharge).where(LaterCharge.customer_id == customer_id)
    return [
        {
            "kind": each.kind,
            "happened_at": each.happened_at,
            "authority": each.authority,
            "reference": each.reference,
            "gross": each.gross,
            "state": each.state,
            "said": each.said,
            "shown_by": f"/files/{each.file_id}" if each.file_id else None,
            "payments": await _payments(session, LATER, each.id),
        }
        for each in await session.scalars(rows.order_by(LaterCharge.id))
    ]


async def _notes(session: AsyncSession, customer_id: UUID) -> Rows:
    written = select(CustomerNote).where(CustomerNote.customer_id == customer_id)
    return [
        {"text": each.text, "created_at": each.created_at}
        for each in await session.scalars(written)
    ]


async def _feed(session: AsyncSession, customer_id: UUID) -> Rows:
    """Its address is known to nobody but them."""
    made = select(CalendarFeed).where(CalendarFeed.customer_id == customer_id)
    return [
        {"created_at": each.created_at, "renewed_at": each.renewed_at}
        for each in await session.scalars(made)
    ]


async def _reviews(session: AsyncSession, customer_id: UUID) -> Rows:
    written = select(Review).where(Review.customer_id == customer_id, Review.stars.is_not(None))
    return [
        {"stars": each.stars, "remarks": each.remarks, "answered_at": each.answered_at}
        for each in await session.scalars(written)
    ]


async def _theirs(session: AsyncSession, customer: Customer) -> ColumnElement[bool]:
    """The waits of somebody: also those that they began before they signed in, by the address
    that they have confirmed since."""
    confirmed = select(func.lower(User.email)).where(
        User.id == customer.user_id, User.email_confirmed_at.is_not(None)
    )
    address = await session.scalar(confirmed)
    own = Wait.customer_id == customer.id
    if address is None:
        return own
    return or_(own, and_(Wait.customer_id.is_(None), func.lower(Wait.email) == address))


async def _waits(session: AsyncSession, customer: Customer) -> Rows:
    listed = select(Wait).where(await _theirs(session, customer))
    return [
        {
            "name": each.name,
            "email": each.email,
            "starts_at": each.starts_at,
            "ends_at": each.ends_at,
            "state": each.state,
        }
        for each in await session.scalars(listed)
    ]


async def _papers(session: AsyncSession, customer_id: UUID) -> Rows:
    rows = select(Paper).where(Paper.customer_id == customer_id).order_by(Paper.id)
    return [
        {"number": each.number, "issued_on": each.issued_on, "content": each.content}
        for each in await session.scalars(rows)
    ]


async def erase(session: AsyncSession, user_id: UUID) -> None:
    """Forget who the customer was, once nothing of theirs is open. Papers that were issued and
    agreements that were signed stay as they are: the law wants them kept, and nobody may change
    them.

    Raises:
        StillHiring: a booking is not over, or a bill not settled.
    """
    query = select(Customer).where(Customer.user_id == user_id).with_for_update()
    customer = await session.scalar(query)
    if customer is None:
        return
    own = select(Booking.id).where(Booking.customer_id == customer.id)
    unsettled = own.where(Booking.state.in_((*states.BLOCKING, "returned")))
    owed = select(LaterCharge.id).where(
        LaterCharge.customer_id == customer.id, LaterCharge.state.in_(("charged", "contested"))
    )
    if await session.scalar(unsettled.limit(1)) or await session.scalar(owed.limit(1)):
        raise StillHiring
    left = delete(CompanyMember).where(CompanyMember.customer_id == customer.id)
    await session.execute(left)
    await _erase_waits(session, customer)
    await _erase_payments(session, customer)
    customer.user_id = None
    customer.name, customer.email = str(_("Erased")), f"{customer.id.hex}@erased.invalid"
    customer.phone = customer.licence_country = customer.licence_number = ""
    customer.billing_name = customer.tax_number = customer.billing_address = ""
    customer.licence_expires = customer.born = UNKNOWN
    customer.student_until = customer.student_asked_at = None
    customer.version += 1
    await session.execute(update(Hire).where(Hire.booking_id.in_(own)).values(steps={}))
    customer.blocked_why = None
    await session.execute(delete(CustomerNote).where(CustomerNote.customer_id == customer.id))
    await session.execute(delete(CalendarFeed).where(CalendarFeed.customer_id == customer.id))
    said = update(Review).where(Review.customer_id == customer.id)
    await session.execute(said.values(remarks=None))
    looked_at = Inspection.booking_id.in_(own)
    await pictures.discard_signatures(session, select(Inspection.id).where(looked_at))
    for each in await session.scalars(select(Inspection).where(looked_at)):
        each.notes = each.customer_name = ""


async def _erase_waits(session: AsyncSession, customer: Customer) -> None:
    """Nobody waits any more; a car that is held for them is free with the next lapse."""
    rows = await session.scalars(
        select(Wait).where(await _theirs(session, customer)).with_for_update()
    )
    for each in rows.all():
        if each.state in {"waiting", "offered"}:
            each.state = "left"
            if each.block_id is not None:
                await holding.let_go(session, each.block_id)
                await freeing.freed(session, each.class_id)
        each.version += 1
        each.customer_id, each.name = None, str(_("Erased"))
        each.email = f"{each.id.hex}@erased.invalid"
    await session.flush()


async def _erase_payments(session: AsyncSession, customer: Customer) -> None:
    """Cards that were kept are asked no more; links to pay lead nowhere, and what somebody said
    of a fine is forgotten."""
    bookings = list(
        await session.scalars(select(Booking.id).where(Booking.customer_id == customer.id))
    )
    hires = list(await session.scalars(select(Hire.id).where(Hire.booking_id.in_(bookings))))
    later = select(LaterCharge.id).where(LaterCharge.customer_id == customer.id)
    await cards.forget(session, BOOKING, bookings)
    await cards.forget(session, HIRE, hires)
    await cards.forget(session, LATER, list(await session.scalars(later)))
    charged = update(LaterCharge).where(LaterCharge.customer_id == customer.id)
    await session.execute(charged.values(link=None, said=""))


PERSONAL: Final = (
    PersonalData(
        name="car_hire.customers",
        title=_("Driving licence, hires and invoices"),
        tables=(
            "car_hire_customers",
            "car_hire_bookings",
            "car_hire_hires",
            "car_hire_bill_lines",
            "car_hire_reviews",
            "car_hire_papers",
            "car_hire_company_members",
            "car_hire_later_charges",
            "car_hire_agreements",
            "car_hire_inspections",
            "car_hire_inspection_pictures",
            "car_hire_customer_notes",
            "car_hire_calendar_feeds",
            "car_hire_promotion_uses",
            "car_hire_waits",
        ),
        export=export,
        erase=erase,
    ),
)
