"""What customers get by mail: confirmation, cancellation, receipt."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import mail
from core.money import Money
from plugins.car_hire.models import Booking
from plugins.car_hire.services import bookings, customers, fleet, hires, quotes
from plugins.car_hire.services.describe import told


async def confirmation(session: AsyncSession, booking_id: UUID) -> None:
    """The car is theirs: the booking is paid, or will be when they pick it up."""
    booking = await bookings.one(session, booking_id)
    if booking.state in {"confirmed", "out"}:
        key = f"{booking.id}:owed" if booking.owed_at_pick_up else ""
        await _send(session, "car_hire/mail/confirmation", booking, key=key)


async def cancellation(session: AsyncSession, booking_id: UUID) -> None:
    """The booking is cancelled; what was paid comes back."""
    booking = await bookings.one(session, booking_id)
    await _send(session, "car_hire/mail/cancellation", booking, paid=booking.payment_id is not None)


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
    session: AsyncSession, template: str, booking: Booking, key: str = "", **more: Any
) -> None:
    """Write a letter once, however often the job that asks for it runs."""
    customer = await customers.one(session, booking.customer_id)
    vehicle = await fleet.vehicle(session, booking.vehicle_id)
    chosen = await fleet.vehicle_class(session, booking.class_id)
    quote = await quotes.one(session, booking.quote_id)
    lines = await quotes.lines(session, booking.quote_id)
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
        key=f"{template}:{key or booking.id}",
    )
