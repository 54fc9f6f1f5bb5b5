"""The money of bookings and hires: the booking's charge, the hire's deposit, what is left over.

Amounts come from the stored quote and bill, never from a request. Money that is found to have
been reserved for something that is no more is released; whatever was captured is refunded.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs
from core.errors import NotFound
from core.i18n import gettext
from core.money import Money
from core.payments.events import PaymentAuthorised
from core.payments.models import BY_CARD, Payment
from core.payments.provider import Declined, ProviderUnavailable, Refused
from core.payments.services.payments import Payments
from core.payments.states import FAILED, TOOK_MONEY, NotInState, State
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, Hire
from plugins.car_hire.services import (
    announcing,
    bookings,
    cancelling,
    hires,
    letters,
    reminders,
    telling,
)
from plugins.car_hire.services.papers import settled

BOOKING: Final = telling.BOOKING
HIRE: Final = telling.HIRE
CHARGE: Final = "charge"
DEPOSIT: Final = "deposit"
REST: Final = "rest"

COLLECT: Final = "car_hire.collect"
SETTLE: Final = "car_hire.settle"
GIVE_BACK: Final = "car_hire.give_back"
RELEASE_HOLD: Final = "car_hire.release_hold"
INVOICE: Final = "car_hire.invoice"

_NOT_TO_BE: Final = frozenset({"expired", "cancelled", "no_show"})
"""Bookings whose money goes back, but for the fee that is kept."""


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
    return await _go_on(session, payment)


def _awaits_payment(booking: Booking) -> bool:
    if booking.state == "pending_payment":
        return booking.hold_until >= clock.now()
    return booking.state == "confirmed" and booking.owed_at_pick_up


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
    )
    return await _go_on(session, payment)


async def _go_on(session: AsyncSession, payment: Payment) -> Payment:
    """Once the money is reserved, take the step that it was reserved for."""
    if payment.standing is State.AUTHORISED:
        await _STEPS[payment.purpose](session, UUID(payment.subject_id), payment.id)
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
        if payment.purpose == purpose and payment.standing not in FAILED
    ]
    if not live:
        raise NotNow
    await _go_on(session, await payments.resume(live[-1].id))


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


async def _is_held(session: AsyncSession, payment_id: UUID) -> bool:
    """Whether the money is there to be used: word of it may come after it was released."""
    payment = await Payments(session).get(payment_id)
    await session.refresh(payment)
    if payment.standing is State.AUTHORISED:
        return not payment.release_wanted
    return payment.standing is State.CAPTURING or payment.standing in TOOK_MONEY


async def authorised(session: AsyncSession, event: PaymentAuthorised) -> None:
    """Money was reserved for something; if it is ours, go on with it. Any number of times."""
    if event.subject_type not in {BOOKING, HIRE}:
        return
    await _STEPS[event.purpose](session, UUID(event.subject_id), event.payment_id)


async def collect(session: AsyncSession, booking_id: UUID, payment_id: UUID) -> None:
    """Collect a confirmed booking's price, and tell the customer."""
    if (await bookings.one(session, booking_id)).state == "cancelled":
        return  # a refund would cost what a release does not
    payment = await Payments(session).get(payment_id)
    if payment.standing in {State.AUTHORISED, State.CAPTURING}:
        await Payments(session).capture(payment_id)
    await announcing.booked(session, booking_id)


async def give_back(session: AsyncSession, booking_id: UUID) -> None:
    """Release or refund whatever was taken for a booking that is not to be."""
    booking = await bookings.locked(session, booking_id)
    if booking.state not in _NOT_TO_BE:
        return  # paid at the last moment after all, and confirmed
    fee = Money(booking.fee or Decimal(0), booking.currency)
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


async def cancel(
    session: AsyncSession,
    booking_id: UUID,
    expected: int | None = None,
    seen: str | None = None,
) -> Booking:
    """Cancel a booking; what was paid goes back to the card, but for the fee of a late one.

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
    await _invoice_what_is_kept(session, booking)
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
    await _invoice_what_is_kept(session, booking)
    await _stop_handing_over(session, hire)
    return booking


async def _invoice_what_is_kept(session: AsyncSession, booking: Booking) -> None:
    if booking.fee and booking.payment_id is not None:
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


async def pay_deposit(session: AsyncSession, hire_id: UUID, method: str) -> Payment:
    """Reserve the deposit; once that is done the car is on hire.

    Raises:
        NotNow: the hire does not await its deposit.
        Declined: the bank said no; another card may do.
    """
    hire = await hires.locked(session, hire_id)
    if hire.state != "awaiting_deposit":
        raise NotNow
    amount = Money(hire.deposit, hire.currency)
    title = gettext("Deposit for car hire %(number)s")
    return await _pay_for_hire(session, hire, DEPOSIT, amount, method, title)


async def deposit_authorised(session: AsyncSession, hire_id: UUID, payment_id: UUID) -> None:
    """The deposit is reserved: off they go, or release it if the hire was given up."""
    hire = await hires.locked(session, hire_id)
    booking = await bookings.locked(session, hire.booking_id)
    if not await _is_held(session, payment_id):
        return
    if hire.state == "awaiting_deposit" and booking.state == "confirmed":
        hire.deposit_payment_id = payment_id
        await hires.depart(session, hire_id)
        await reminders.of_deposit(session, hire, payment_id)
    elif hire.deposit_payment_id != payment_id:
        await Payments(session).void(payment_id)


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


async def settle_soon(session: AsyncSession, hire_id: UUID) -> None:
    """Have the bill of a hire that came back settled, once."""
    await jobs.put(session, SETTLE, {"hire_id": hire_id}, key=f"settle:{hire_id}")


async def settle(session: AsyncSession, hire_id: UUID) -> None:
    """Take the bill from the deposit and release the rest of it; close if that covers all."""
    hire = await hires.one(session, hire_id)
    if hire.state != "returned":
        return
    if hire.deposit_payment_id is not None:
        await _use_deposit(session, hire.deposit_payment_id, hires.owed(hire)[0])
    await _return_surplus(session, hire)
    owed = await outstanding(session, hire)
    if not owed:
        await hires.close(session, hire_id)
    booking = await bookings.one(session, hire.booking_id)
    billed = Money(hire.billed or Decimal(0), hire.currency)
    await telling.charged(session, booking, billed, owed)
    await announcing.returned(session, hire_id)
    await settled.at_return(session, hire, owed)


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


async def _use_deposit(session: AsyncSession, payment_id: UUID, taken: Money) -> None:
    payments = Payments(session)
    try:
        if taken:
            await payments.capture(payment_id, taken)
        else:
            await payments.void(payment_id)
    except (NotInState, Refused, Declined):
        # The reservation lapsed before the car came back: the desk sees what is owed.
        payment = await payments.get(payment_id)
        if payment.standing not in FAILED | TOOK_MONEY:
            raise


async def outstanding(session: AsyncSession, hire: Hire) -> Money:
    """What is still owed for a hire that came back."""
    if hire.settled_at is not None:
        return Money.zero(hire.currency)
    billed = Money(hire.billed or Decimal(0), hire.currency)
    for payment in await Payments(session).of(HIRE, hire.id):
        if payment.standing in TOOK_MONEY:
            billed -= payment.captured_amount
    return billed if billed.amount > 0 else Money.zero(hire.currency)


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


async def rest_authorised(session: AsyncSession, hire_id: UUID, payment_id: UUID) -> None:
    """Collect what was still owed, and close the hire."""
    payment = await Payments(session).get(payment_id)
    if payment.standing is State.AUTHORISED:
        await Payments(session).capture(payment_id)
    hire = await hires.one(session, hire_id)
    if hire.state == "returned" and not await outstanding(session, hire):
        await hires.close(session, hire_id)
        await settled.with_the_rest(session, hire, payment)


_STEPS: Final = {CHARGE: booking_authorised, DEPOSIT: deposit_authorised, REST: rest_authorised}
