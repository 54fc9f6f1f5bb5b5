"""Money is asked for: the price of a booking, a hire's deposit, what that did not cover."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs
from core.errors import NotFound
from core.i18n import gettext
from core.money import Money
from core.payments.models import Payment
from core.payments.services.payments import Payments
from core.payments.states import State
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, Hire
from plugins.car_hire.services import bookings, hires, reminders
from plugins.car_hire.services.paying import renewing
from plugins.car_hire.services.paying.names import (
    BOOKING,
    CHARGE,
    DEPOSIT,
    HIRE,
    RELEASE_HOLD,
    REST,
)
from plugins.car_hire.services.paying.reserved import go_on, kind_of
from plugins.car_hire.services.paying.settling import outstanding


async def hold_ends(session: AsyncSession, booking: Booking) -> None:
    """Have the car released when the hold ends, should nobody have paid."""
    await jobs.put(
        session,
        RELEASE_HOLD,
        {"booking_id": booking.id},
        key=f"hold:{booking.id}",
        due_at=booking.hold_until,
    )


async def pay_booking(session: AsyncSession, booking_id: UUID, method: str) -> Payment:
    """Reserve the quoted price on the card that ``method`` stands for.

    Raises:
        NotNow: the booking does not await a payment.
        Declined: the bank said no; another card may do.
    """
    booking = await bookings.locked(session, booking_id)
    if not _awaits_payment(booking):
        raise NotNow
    payment = await Payments(session).authorise(
        subject_type=BOOKING,
        subject_id=booking_id,
        purpose=CHARGE,
        amount=Money(booking.gross, booking.currency),
        method=method,
        description=gettext("Car hire %(number)s") % {"number": booking.number},
    )
    booking = await bookings.locked(session, booking_id)
    booking.payment_id = payment.id
    if payment.standing is State.REQUIRES_ACTION:
        await reminders.of_bank(session, booking, payment)
    return await go_on(session, payment)


def _awaits_payment(booking: Booking) -> bool:
    if booking.state == "pending_payment":
        return booking.hold_until >= clock.now()
    return booking.state == "confirmed" and booking.owed_at_pick_up


async def pay_deposit(session: AsyncSession, hire_id: UUID, method: str) -> Payment:
    """Reserve the deposit; once that is done the car is on hire. While it is out, another card
    takes the place of the one that holds it. The card is kept, to renew the hold.

    Raises:
        NotNow: the hire does not await its deposit, and has none by card.
        Declined: the bank said no; another card may do.
    """
    hire = await hires.locked(session, hire_id)
    purpose = DEPOSIT
    if hire.state != "awaiting_deposit":
        purpose = await renewing.purpose_of_next(session, hire)
    amount = Money(hire.deposit, hire.currency)
    title = gettext("Deposit for car hire %(number)s")
    return await _pay_for_hire(session, hire, purpose, amount, method, title)


async def pay_rest(session: AsyncSession, hire_id: UUID, method: str) -> Payment:
    """Take what the deposit did not cover.

    Raises:
        NotNow: nothing is owed.
        Declined: the bank said no; another card may do.
    """
    hire = await hires.locked(session, hire_id)
    owed = await outstanding(session, hire)
    if hire.state != "returned" or not owed:
        raise NotNow
    title = gettext("Car hire %(number)s, return")
    return await _pay_for_hire(session, hire, REST, owed, method, title)


async def take(session: AsyncSession, hire_id: UUID, purpose: str, method: str) -> Payment:
    """Take the deposit or the rest.

    Raises:
        NotFound: no such thing is paid.
        NotNow: it is not due.
        Declined: the bank said no; another card may do.
    """
    ways = {DEPOSIT: pay_deposit, REST: pay_rest}
    if purpose not in ways:
        raise NotFound
    return await ways[purpose](session, hire_id, method)


async def _pay_for_hire(
    session: AsyncSession, hire: Hire, purpose: str, amount: Money, method: str, description: str
) -> Payment:
    """Reserve ``amount`` and go on; ``description`` has a place for the booking's number."""
    booking = await bookings.one(session, hire.booking_id)
    payment = await Payments(session).authorise(
        subject_type=HIRE,
        subject_id=hire.id,
        purpose=purpose,
        amount=amount,
        method=method,
        description=description % {"number": booking.number},
        save=kind_of(purpose) == DEPOSIT,
    )
    return await go_on(session, payment)
