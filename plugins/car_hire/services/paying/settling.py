"""What was reserved is taken, and the bill of a hire settled."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs
from core.money import Money
from core.payments.models import BY_CARD, Payment
from core.payments.provider import Declined, Refused
from core.payments.services.payments import Payments
from core.payments.states import FAILED, PENDING, TOOK_MONEY, NotInState, State
from plugins.car_hire.models import Hire
from plugins.car_hire.services import announcing, bookings, hires, telling
from plugins.car_hire.services.papers import invoices, settled
from plugins.car_hire.services.paying.names import BOOKING, COLLECT, HIRE, SETTLE

AGAIN_AFTER: Final = timedelta(minutes=1)
"""How long a job waits for an answer of the provider before it looks again."""


async def collect(session: AsyncSession, booking_id: UUID, payment_id: UUID) -> None:
    """Collect a confirmed booking's price, and tell the customer."""
    if (await bookings.one(session, booking_id)).state == "cancelled":
        return  # a refund would cost what a release does not
    payment = await Payments(session).get(payment_id)
    if payment.standing in {State.AUTHORISED, State.CAPTURING}:
        payment = await _collected(session, payment_id)
        if payment.standing in PENDING:
            args = {"booking_id": booking_id, "payment_id": payment_id}
            await _once_known(session, COLLECT, args)
            return
    await announcing.booked(session, booking_id)


async def _collected(session: AsyncSession, payment_id: UUID) -> Payment:
    payments = Payments(session)
    try:
        return await payments.capture(payment_id)
    except NotInState:
        payment = await payments.get(payment_id)
        if payment.standing not in PENDING:
            raise
        return payment


async def settle_soon(session: AsyncSession, hire_id: UUID) -> None:
    """Have the bill of a hire that came back settled, once; unless its deposit is kept."""
    if (await hires.one(session, hire_id)).deposit_kept:
        return
    await jobs.put(session, SETTLE, {"hire_id": hire_id}, key=f"settle:{hire_id}")


async def settle(session: AsyncSession, hire_id: UUID) -> None:
    """Take the bill from the deposit and release the rest of it; close if that covers all."""
    hire = await hires.one(session, hire_id)
    if hire.state != "returned":
        return
    booking = await bookings.one(session, hire.booking_id)
    if booking.company_id is not None:
        await _on_account(session, hire)
        return
    deposit = hire.deposit_payment_id
    if deposit is not None and not await _use_deposit(session, deposit, hires.owed(hire)[0]):
        await _once_known(session, SETTLE, {"hire_id": hire_id})
        return
    await _return_surplus(session, hire)
    owed = await outstanding(session, hire)
    if not owed:
        await hires.close(session, hire_id)
    billed = Money(hire.billed or Decimal(0), hire.currency)
    await telling.charged(session, booking, billed, owed)
    await announcing.returned(session, hire_id)
    await settled.at_return(session, hire, owed)


async def _on_account(session: AsyncSession, hire: Hire) -> None:
    """The company pays: release the deposit, if there is one; the invoice goes on the account."""
    if hire.deposit_payment_id is not None:
        await _use_deposit(session, hire.deposit_payment_id, Money.zero(hire.currency))
    await hires.close(session, hire.id)
    await announcing.returned(session, hire.id)
    await invoices.of_booking(session, hire.booking_id, None)


async def _return_surplus(session: AsyncSession, hire: Hire) -> None:
    """Give back what was paid for a hire that was shortened, once."""
    surplus = -(hire.billed or Decimal(0))
    if surplus <= 0:
        return
    for payment in await Payments(session).of(BOOKING, hire.booking_id):
        if payment.standing in TOOK_MONEY and payment.method == BY_CARD:
            amount = Money(surplus, hire.currency)
            await Payments(session).refund(payment.id, amount, key=f"return:{hire.id}")
            return


async def _use_deposit(session: AsyncSession, payment_id: UUID, taken: Money) -> bool:
    """Whether it is known what became of it. A release that is under way goes on by itself."""
    payments = Payments(session)
    try:
        if not taken:
            await payments.void(payment_id)
            return True
        payment = await payments.capture(payment_id, taken)
    except (NotInState, Refused, Declined):
        # The reservation lapsed before the car came back: the desk sees what is owed.
        payment = await payments.get(payment_id)
        if payment.standing not in FAILED | TOOK_MONEY | PENDING:
            raise
    return payment.standing not in PENDING


async def _once_known(session: AsyncSession, job: str, args: dict[str, UUID]) -> None:
    """An answer of the provider is awaited: until it is found out nobody is told anything."""
    await jobs.put(session, job, args, due_at=clock.now() + AGAIN_AFTER)


async def outstanding(session: AsyncSession, hire: Hire) -> Money:
    """What is still owed for a hire that came back."""
    if hire.settled_at is not None:
        return Money.zero(hire.currency)
    billed = Money(hire.billed or Decimal(0), hire.currency)
    for payment in await Payments(session).of(HIRE, hire.id):
        if payment.standing in TOOK_MONEY:
            billed -= payment.captured_amount
    return billed if billed.amount > 0 else Money.zero(hire.currency)
