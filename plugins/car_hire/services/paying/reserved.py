"""Money is reserved: the step is taken that it was reserved for."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import jobs
from core.errors import NotFound
from core.payments.events import PaymentAuthorised
from core.payments.models import Payment
from core.payments.services.payments import Payments
from core.payments.states import FAILED, TOOK_MONEY, State
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Hire
from plugins.car_hire.services import bookings, hires
from plugins.car_hire.services.papers import settled
from plugins.car_hire.services.paying import renewing
from plugins.car_hire.services.paying.names import (
    BOOKING,
    CHARGE,
    COLLECT,
    DEPOSIT,
    GIVE_BACK,
    HIRE,
    REST,
)
from plugins.car_hire.services.paying.settling import outstanding


async def booking_authorised(session: AsyncSession, booking_id: UUID, payment_id: UUID) -> None:
    """The price is reserved: confirm and collect, or release it if there is no car any more."""
    booking = await bookings.locked(session, booking_id)
    if not await _is_held(session, payment_id):
        return
    booking.payment_id = payment_id
    told = {"booking_id": booking_id}
    if await bookings.confirm(session, booking):
        booking.owed_at_pick_up = False
        told["payment_id"] = payment_id
        await jobs.put(session, COLLECT, told, key=f"collect:{payment_id}")
    else:
        await jobs.put(session, GIVE_BACK, told, key=f"back:{payment_id}")


async def deposit_authorised(session: AsyncSession, hire_id: UUID, payment_id: UUID) -> None:
    """The deposit is reserved: off they go, or it takes the place of an earlier one of a car that
    is out. It is released if the hire was given up, or is over."""
    hire = await hires.locked(session, hire_id)
    booking = await bookings.locked(session, hire.booking_id)
    if not await _is_held(session, payment_id) or hire.deposit_payment_id == payment_id:
        return
    payment = await Payments(session).get(payment_id)
    if hire.state == "awaiting_deposit" and booking.state == "confirmed":
        hire.deposit_payment_id = payment_id
        await hires.depart(session, hire_id)
        await renewing.plan(session, hire, payment)
    elif hire.needs_hold and await _is_newer(session, hire, payment):
        await renewing.take_over(session, hire, payment)
    else:
        await Payments(session).void(payment_id)


async def _is_newer(session: AsyncSession, hire: Hire, payment: Payment) -> bool:
    """Word of a hold may come after another took its place."""
    if hire.deposit_payment_id is None:
        return False
    held = await Payments(session).get(hire.deposit_payment_id)
    return renewing.ordinal(payment.purpose) > renewing.ordinal(held.purpose)


async def rest_authorised(session: AsyncSession, hire_id: UUID, payment_id: UUID) -> None:
    """Collect what was still owed, and close the hire."""
    payment = await Payments(session).get(payment_id)
    if payment.standing is State.AUTHORISED:
        await Payments(session).capture(payment_id)
    hire = await hires.one(session, hire_id)
    if hire.state == "returned" and not await outstanding(session, hire):
        await hires.close(session, hire_id)
        await settled.with_the_rest(session, hire, payment)


async def _is_held(session: AsyncSession, payment_id: UUID) -> bool:
    """Whether the money is there to be used: word of it may come after it was released."""
    payment = await Payments(session).get(payment_id)
    await session.refresh(payment)
    if payment.standing is State.AUTHORISED:
        return not payment.release_wanted
    return payment.standing is State.CAPTURING or payment.standing in TOOK_MONEY


_STEPS: Final = {CHARGE: booking_authorised, DEPOSIT: deposit_authorised, REST: rest_authorised}


def kind_of(purpose: str) -> str:
    """What a payment is for, without which of several it is: ``deposit`` for ``deposit.2``."""
    return purpose.partition(".")[0]


async def go_on(session: AsyncSession, payment: Payment) -> Payment:
    """Once the money is reserved, take the step that it was reserved for."""
    if payment.standing is State.AUTHORISED:
        await _STEPS[kind_of(payment.purpose)](session, UUID(payment.subject_id), payment.id)
    return payment


async def answered(
    session: AsyncSession, subject_type: str, subject_id: UUID, purpose: str
) -> None:
    """The cardholder has answered the bank: see how it went, and go on.

    Raises:
        Declined: the bank, or the cardholder, said no.
    """
    if purpose not in _STEPS:
        raise NotFound
    payments = Payments(session)
    live = [
        payment
        for payment in await payments.of(subject_type, subject_id)
        if kind_of(payment.purpose) == purpose and payment.standing not in FAILED
    ]
    if not live:
        raise NotNow
    await go_on(session, await payments.resume(live[-1].id))


async def authorised(session: AsyncSession, event: PaymentAuthorised) -> None:
    """Money was reserved for something; if it is ours, go on with it. Any number of times."""
    if event.subject_type not in {BOOKING, HIRE}:
        return
    await _STEPS[kind_of(event.purpose)](session, UUID(event.subject_id), event.payment_id)
