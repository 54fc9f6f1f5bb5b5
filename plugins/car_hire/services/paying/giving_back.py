"""What is not to be gives back its money, but for a fee."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import jobs
from core.money import Money
from core.payments.models import BY_CARD
from core.payments.provider import ProviderUnavailable
from core.payments.services.payments import Payments
from core.payments.states import FAILED, TOOK_MONEY, State
from plugins.car_hire.models import Booking, Hire
from plugins.car_hire.services import bookings, cancelling, hires, letters
from plugins.car_hire.services.paying.names import BOOKING, GIVE_BACK, HIRE, INVOICE

_NOT_TO_BE: Final = frozenset({"expired", "cancelled", "no_show"})
"""Bookings whose money goes back, but for the fee that is kept."""


async def give_back(session: AsyncSession, booking_id: UUID) -> None:
    """Release or refund whatever was taken for a booking that is not to be; what is kept of it
    gets its paper then, when it is known what was taken."""
    booking = await bookings.locked(session, booking_id)
    if booking.state not in _NOT_TO_BE:
        return  # paid at the last moment after all, and confirmed
    fee = Money(_of_the_money(booking), booking.currency)
    for payment in await Payments(session).of(BOOKING, booking_id):
        if payment.method != BY_CARD:
            continue  # the desk gives it back by hand, and says so
        if payment.standing in TOOK_MONEY:
            back = payment.captured_amount - fee
            if back.amount > 0:
                await Payments(session).refund(payment.id, back if fee else None, key="cancelled")
        elif fee and payment.standing is State.AUTHORISED:
            await Payments(session).capture(payment.id, fee)
        elif payment.standing not in FAILED:
            await Payments(session).void(payment.id)
    await _invoice_what_is_kept(session, booking)


def _of_the_money(booking: Booking) -> Decimal:
    """What is kept of what was paid; a company owes its fee by a statement."""
    return (booking.fee or Decimal(0)) if booking.company_id is None else Decimal(0)


async def cancel(
    session: AsyncSession,
    booking_id: UUID,
    expected: int | None = None,
    seen: str | None = None,
) -> Booking:
    """Cancel a booking; what was paid goes back to the card, but for the fee of a late one, which
    a company gets on its account.

    ``seen`` is the fee that was shown to whoever cancels; None if none was.

    Raises:
        FeeHasChanged: it is another one now.
        NotNow: the car is out, or the booking is over.
        EditedMeanwhile: it changed since version ``expected``.
    """
    hire = await _being_handed_over(session, booking_id)
    standing = await bookings.locked(session, booking_id)
    cost = await cancelling.of_cancellation(session, standing)
    cancelling.check_seen(cost, seen)
    booking = await bookings.cancel(session, booking_id, expected, cost.fee.amount)
    key = f"cancel:{booking_id}"
    await jobs.put(session, GIVE_BACK, {"booking_id": booking_id}, key=key)
    await letters.cancellation(session, booking_id)
    await _stop_handing_over(session, hire)
    return booking


async def no_show(session: AsyncSession, booking_id: UUID) -> Booking:
    """The customer did not come; what was paid is kept, as far as the rules of the house say.

    Raises:
        NotNow: the time has not come, or the booking is not waiting for anybody.
    """
    hire = await _being_handed_over(session, booking_id)
    cost = await cancelling.of_no_show(session, await bookings.locked(session, booking_id))
    booking = await bookings.no_show(session, booking_id, fee=cost.fee.amount)
    if cost.back:
        told = {"booking_id": booking_id}
        await jobs.put(session, GIVE_BACK, told, key=f"no-show:{booking_id}")
    else:
        await _invoice_what_is_kept(session, booking)
    await _stop_handing_over(session, hire)
    return booking


async def _invoice_what_is_kept(session: AsyncSession, booking: Booking) -> None:
    if booking.fee and (booking.payment_id is not None or booking.company_id is not None):
        told = {"booking_id": booking.id}
        await jobs.put(session, INVOICE, told, key=f"invoice:{booking.id}")


async def _being_handed_over(session: AsyncSession, booking_id: UUID) -> Hire | None:
    """The hire of a booking, locked before the booking is, as everywhere, if it is under way."""
    hire = await hires.of_booking(session, booking_id)
    return None if hire is None else await hires.locked(session, hire.id)


async def _stop_handing_over(session: AsyncSession, hire: Hire | None) -> None:
    """A hire that only awaits its deposit must not keep the car once its booking is over.

    Last of all, since releasing the deposit commits what was recorded before.
    """
    if hire is not None and hire.state == "awaiting_deposit":
        await abandon(session, hire.id)


async def release_hold(session: AsyncSession, booking_id: UUID) -> None:
    """The hold is over: the car is free again, and an unfinished payment is given up."""
    if await bookings.expire(session, booking_id) is not None:
        # A job of its own: it is tried again on its own, when this one has nothing left to do.
        told = {"booking_id": booking_id}
        await jobs.put(session, GIVE_BACK, told, key=f"expired:{booking_id}")


async def abandon(session: AsyncSession, hire_id: UUID, expected: int | None = None) -> Hire:
    """Give up handing over a car; a deposit under way is released.

    Raises:
        NotNow: the car is out already.
    """
    hire = await hires.abandon(session, hire_id, expected)
    for payment in await Payments(session).of(HIRE, hire_id):
        if payment.standing not in FAILED:
            # Where the provider is away, a job goes on asking.
            with suppress(ProviderUnavailable):
                await Payments(session).void(payment.id)
    return hire
