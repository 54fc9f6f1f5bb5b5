"""What customers get by mail, with the booking for their calendar where there is one to keep."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import mail
from core.i18n import reading_in
from core.money import Money
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.models import Booking
from plugins.car_hire.services import bookings, customers, diary, fleet, hires, quotes
from plugins.car_hire.services.describe import told


async def confirmation(session: AsyncSession, booking_id: UUID) -> None:
    """The car is theirs: the booking is paid, or will be when they pick it up."""
    booking = await bookings.one(session, booking_id)
    if booking.state in {"confirmed", "out"}:
        key = f"{booking.id}:owed" if booking.owed_at_pick_up else ""
        await _send(session, "car_hire/mail/confirmation", booking, key=key, method=diary.REQUEST)


async def change(session: AsyncSession, booking: Booking, before: Money) -> None:
    """A booking has other dates, or another class; ``before`` is what it cost."""
    await _send(
        session,
        "car_hire/mail/change",
        booking,
        key=f"{booking.id}:{booking.version}",
        method=diary.REQUEST,
        difference=Money(booking.gross, booking.currency) - before,
    )


async def pick_up(session: AsyncSession, booking: Booking) -> None:
    """Tomorrow they come for the car."""
    key = f"{booking.id}:{booking.starts_at}"
    await _send(session, "car_hire/mail/pick_up", booking, key=key, method=diary.REQUEST)


async def return_due(session: AsyncSession, booking: Booking) -> None:
    """The car is to be back soon."""
    rules = await policy.read(session)
    await _send(
        session,
        "car_hire/mail/return_due",
        booking,
        key=f"{booking.id}:{booking.ends_at}",
        grace=rules.grace_minutes,
    )


async def review(session: AsyncSession, booking: Booking, secret: str) -> None:
    """Ask how it was; the link with ``secret`` takes one answer."""
    await _send(session, "car_hire/mail/review", booking, path=f"/car-hire/reviews/{secret}")


async def deposit_again(
    session: AsyncSession, booking: Booking, secret: str, amount: Money, until: datetime
) -> None:
    """The bank did not hold the deposit anew; the link with ``secret`` takes another card."""
    await _send(
        session,
        "car_hire/mail/deposit_again",
        booking,
        key=f"{booking.id}:{until}",
        path=f"/car-hire/deposits/{secret}",
        amount=amount,
        until=until,
    )


async def cancellation(session: AsyncSession, booking_id: UUID) -> None:
    """The booking is cancelled; what was paid comes back."""
    booking = await bookings.one(session, booking_id)
    paid = booking.payment_id is not None
    was_confirmed = paid or booking.owed_at_pick_up or booking.company_id is not None
    await _send(
        session,
        "car_hire/mail/cancellation",
        booking,
        method=diary.CANCEL if was_confirmed else None,
        paid=paid,
        fee=Money(booking.fee or Decimal(0), booking.currency),
    )


async def fee(session: AsyncSession, booking: Booking, kept: Money) -> None:
    """What was kept of a booking that was not to be, where there are no numbered papers."""
    await _send(session, "car_hire/mail/fee", booking, kept=kept)


async def receipt(session: AsyncSession, hire_id: UUID) -> None:
    """The car is back: every line of the hire and of the return."""
    hire = await hires.one(session, hire_id)
    booking = await bookings.one(session, hire.booking_id)
    billed = await hires.bill_lines(session, hire_id)
    taken, rest = hires.owed(hire)
    await _send(
        session,
        "car_hire/mail/receipt",
        booking,
        key=f"{hire_id}:{hire.state}",
        hire=hire,
        bill=[told(line, hire.currency) for line in billed],
        billed=Money(hire.billed or Decimal(0), hire.currency),
        taken=taken,
        rest=rest,
        released=Money(hire.deposit, hire.currency) - taken,
    )


async def _send(
    session: AsyncSession,
    template: str,
    booking: Booking,
    key: str = "",
    method: str | None = None,
    **more: Any,
) -> None:
    """Write a letter once, however often the job that asks for it runs.

    ``method`` is what the enclosed calendar does with the booking; None encloses none.
    """
    tenant: Tenant = session.info["tenant"]
    customer = await customers.one(session, booking.customer_id)
    vehicle = await fleet.vehicle(session, booking.vehicle_id)
    chosen = await fleet.vehicle_class(session, booking.class_id)
    quote = await quotes.one(session, booking.quote_id)
    lines = await quotes.lines(session, booking.quote_id)
    with reading_in(customer.locale or tenant.locale):
        calendar = method and diary.enclosed(tenant, booking, chosen, customer, method)
    await mail.send(
        session,
        template,
        customer.email,
        context={
            "name": customer.name,
            "booking": booking,
            "vehicle": vehicle,
            "vehicle_class": chosen,
            "lines": [told(line, booking.currency) for line in lines],
            "total": Money(booking.gross, booking.currency),
            "deposit": Money(quote.deposit, booking.currency),
            **more,
        },
        locale=customer.locale,
        key=f"{template}:{key or booking.id}",
        calendar=calendar,
    )
