"""Customers who book without a card and pay when they pick the car up.

The booking is confirmed at once and ``owed_at_pick_up``; the car is not handed over before the
price was taken by card or received at the desk.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, flags
from core.flags import Flag
from core.i18n import _
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking
from plugins.car_hire.services import announcing, bookings

PAY_AT_DESK: Final = Flag(
    key="car_hire.pay_at_desk",
    title=_("Payment at pick-up"),
    hint=_(
        "Customers may book on your site without a card and pay when they pick the car up. The car"
        " is kept for them; whoever does not come has paid nothing."
    ),
    switched_by="owner",
    sunset=date(2027, 11, 30),
)


async def promise(session: AsyncSession, booking_id: UUID) -> Booking:
    """The customer will pay at pick-up: confirm the booking, and write to them.

    Raises:
        NotNow: the business does not offer it, or the booking does not await a payment.
    """
    if not flags.on(session, PAY_AT_DESK.key):
        raise NotNow(_("Bookings are paid by card here"))
    booking = await bookings.locked(session, booking_id)
    if booking.state != "pending_payment" or booking.hold_until < clock.now():
        raise NotNow
    booking.owed_at_pick_up = True
    await bookings.confirm(session, booking)
    await announcing.booked(session, booking_id)
    return booking
