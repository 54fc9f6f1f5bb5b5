"""What is said later, if it still is so: a deposit that lapses soon, a bank without an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs
from core.payments.models import Payment
from core.payments.services.payments import Payments
from core.payments.states import State
from plugins.car_hire.models import Booking, Hire
from plugins.car_hire.services import bookings, hires, telling

REMIND_OF_DEPOSIT: Final = "car_hire.remind_of_deposit"
REMIND_OF_BANK: Final = "car_hire.remind_of_bank"

DEPOSIT_BEFORE: Final = timedelta(hours=48)
"""So long before a deposit lapses the desk hears of it: it can call, or take a new one."""
BANK_AFTER: Final = timedelta(minutes=5)
"""Whoever has not answered their bank by then has gone to do something else."""


async def of_deposit(session: AsyncSession, hire: Hire, payment: Payment) -> None:
    """A deposit is held: have the desk told before the bank lets it go."""
    await jobs.put(
        session,
        REMIND_OF_DEPOSIT,
        {"hire_id": hire.id, "payment_id": payment.id},
        key=f"lapsing:{payment.id}",
        due_at=payment.reserved_until - DEPOSIT_BEFORE,
    )


async def deposit_lapses(session: AsyncSession, hire_id: UUID, payment_id: UUID) -> None:
    """Tell the desk, if the car is still out and nothing has become of its deposit."""
    hire = await hires.one(session, hire_id)
    payment = await Payments(session).get(payment_id)
    if not hire.needs_hold or hire.deposit_payment_id != payment_id:
        return
    if payment.standing is State.AUTHORISED:
        booking = await bookings.one(session, hire.booking_id)
        until = payment.reserved_until
        await telling.deposit_lapsing(session, booking, payment.authorised_amount, until)


async def of_bank(session: AsyncSession, booking: Booking, payment: Payment) -> None:
    """The customer's bank asks them something: have them reminded if they leave it at that."""
    await jobs.put(
        session,
        REMIND_OF_BANK,
        {"booking_id": booking.id, "payment_id": payment.id},
        key=f"bank:{payment.id}",
        due_at=clock.now() + BANK_AFTER,
    )


async def bank_waits(session: AsyncSession, booking_id: UUID, payment_id: UUID) -> None:
    """Tell the customer, if their bank has still no answer and the car is still held."""
    booking = await bookings.one(session, booking_id)
    payment = await Payments(session).get(payment_id)
    if payment.standing is State.REQUIRES_ACTION and booking.state == "pending_payment":
        await telling.bank_asks(session, booking, payment.authorised_amount)
