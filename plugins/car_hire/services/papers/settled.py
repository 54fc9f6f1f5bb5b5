"""What a customer gets when money is settled: a numbered paper, or where the business has not said
who it is, the letter alone."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.money import Money
from core.payments.models import Payment
from plugins.car_hire import policy
from plugins.car_hire.models import Hire
from plugins.car_hire.services import bookings, letters
from plugins.car_hire.services.papers import invoices, issuing, receipts


async def at_return(session: AsyncSession, hire: Hire, owed: Money) -> None:
    """The bill was taken from the deposit, as far as that reached."""
    if (await policy.read(session)).issues_papers:
        await invoices.of_booking(session, hire.booking_id, owed)
    else:
        await letters.receipt(session, hire.id)


async def with_the_rest(session: AsyncSession, hire: Hire, payment: Payment) -> None:
    """What the deposit did not cover is paid. Before its invoice was issued, it stands on that."""
    if await issuing.of_key(session, invoices.key_of(hire.booking_id)) is not None:
        booking = await bookings.one(session, hire.booking_id)
        await receipts.of_payment(session, booking, payment)
    elif (await policy.read(session)).issues_papers:
        await invoices.of_booking(session, hire.booking_id, Money.zero(hire.currency))
    else:
        await letters.receipt(session, hire.id)


async def without_a_hire(session: AsyncSession, booking_id: UUID) -> None:
    """A hire is not to be: what is kept of its price, or a company owes for it, is sold.

    Raises:
        SellerUnknown: it is on account, and the business no longer says who it is.
    """
    booking = await bookings.one(session, booking_id)
    if not invoices.kept(booking):
        return
    if booking.company_id is not None or (await policy.read(session)).issues_papers:
        await invoices.of_booking(session, booking_id, Money.zero(booking.currency))
    else:
        await letters.fee(session, booking, invoices.kept(booking))
