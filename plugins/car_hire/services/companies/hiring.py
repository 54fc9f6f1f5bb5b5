"""A hire on a company's account: booked without a card, settled by an invoice to the company."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import Conflict
from core.i18n import _, fill
from core.money import Money
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, Company
from plugins.car_hire.services import announcing, bookings
from plugins.car_hire.services.companies import keeping, owing
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.papers import issuing


class OverLimit(Conflict):
    """The company would owe more than was agreed."""

    code = "car_hire.over_credit_limit"
    title = _("This is more than the company's credit limit")


async def may_book(session: AsyncSession, booking: Booking) -> Company | None:
    """On whose account a booking may go that awaits its payment; None: on nobody's."""
    waits = booking.state == "pending_payment" and booking.hold_until >= clock.now()
    if not waits and not (booking.state == "confirmed" and booking.owed_at_pick_up):
        return None
    found = await keeping.of_customer(session, booking.customer_id)
    return found if found is not None and found.on_account else None


async def book(session: AsyncSession, booking_id: UUID, expected: int | None = None) -> Booking:
    """The company pays by its statement: confirm the booking without a card.

    The company is locked, so that two bookings at once cannot both use the last of its limit.

    Raises:
        NotNow: the booking does not await a payment, or its customer hires for no company.
        OverLimit: the company would owe more than was agreed.
        SellerUnknown: without invoices there is no account.
        EditedMeanwhile: it changed since version ``expected``.
    """
    booking = await bookings.locked(session, booking_id)
    if booking.company_id is not None:
        return booking
    found = await may_book(session, booking)
    if found is None:
        raise NotNow
    if not (await policy.read(session)).issues_papers:
        raise issuing.SellerUnknown
    company = await keeping.locked(session, found.id)
    if not company.on_account:
        raise NotNow  # its account was closed while its lock was waited for
    await _check_limit(session, company, booking)
    edit(booking, expected)
    booking.company_id, booking.owed_at_pick_up = company.id, False
    if booking.state == "pending_payment":
        await bookings.confirm(session, booking)
    await announcing.booked(session, booking_id)
    await session.flush()
    told = {"company": company.name, "amount": str(booking.gross)}
    await audit.record(session, "car_hire.booked_on_account", "car_hire.booking", booking.id, told)
    return booking


async def _check_limit(session: AsyncSession, company: Company, booking: Booking) -> None:
    if company.credit_limit is None:
        return
    tenant: Tenant = session.info["tenant"]
    owed = await owing.of_one(session, company, clock.today(tenant.zone))
    if owed.all + booking.gross > company.credit_limit:
        left = Money(max(company.credit_limit - owed.all, Decimal(0)), company.currency)
        raise OverLimit(fill(_("The company's credit limit leaves {amount}"), amount=left))
