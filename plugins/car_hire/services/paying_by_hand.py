"""Money over the counter and from the bank: the price, the deposit, the rest, and what goes back.

It stands in the ledger of payments beside what cards pay (``core.payments.services.by_hand``);
cash moves the drawer besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import Invalid
from core.i18n import _, fill, gettext
from core.money import Money, total
from core.payments.models import BY_CARD, Payment
from core.payments.services import by_hand
from core.payments.services.payments import Payments
from core.payments.states import TOOK_MONEY
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, Hire
from plugins.car_hire.services import announcing, bookings, cash, checks, hires, paying, quotes
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.papers import invoices, receipts, settled

_NOT_TO_BE: Final = frozenset({"cancelled", "expired", "no_show"})
_OVER: Final = frozenset({"returned", "closed"})


async def take_price(
    session: AsyncSession, booking_id: UUID, method: str, expected: int | None = None
) -> Booking:
    """The price of a booking was received; it is confirmed by that, if it was not.

    Raises:
        NotNow: nothing is owed.
        AlreadyPaying: a card payment of it is under way.
        EditedMeanwhile: the booking changed since version ``expected``.
    """
    booking = await bookings.locked(session, booking_id)
    waits = booking.state == "pending_payment" and booking.hold_until >= clock.now()
    if not waits and not (booking.state == "confirmed" and booking.owed_at_pick_up):
        raise NotNow
    edit(booking, expected)
    title = gettext("Car hire %(number)s") % {"number": booking.number}
    amount = Money(booking.gross, booking.currency)
    payment = await _receive(
        session, booking, (paying.BOOKING, booking_id, paying.CHARGE), amount, method, title
    )
    booking.payment_id, booking.owed_at_pick_up = payment.id, False
    if waits:
        await bookings.confirm(session, booking)
        await announcing.booked(session, booking_id)
    await session.flush()
    detail = {"amount": booking.gross, "currency": booking.currency, "method": method}
    await audit.record(session, "car_hire.paid_at_desk", "car_hire.booking", booking.id, detail)
    if (await policy.read(session)).issues_papers:
        await receipts.of_payment(session, booking, payment)
    return booking


async def take_deposit(session: AsyncSession, hire_id: UUID, method: str) -> Hire:
    """The deposit is in the drawer: off they go. It is given back by hand, too.

    Raises:
        NotNow: the hire does not await its deposit.
        AlreadyPaying: a card is being asked for it.
    """
    hire = await hires.locked(session, hire_id)
    if hire.state != "awaiting_deposit":
        raise NotNow
    booking = await bookings.locked(session, hire.booking_id)
    title = gettext("Deposit for car hire %(number)s") % {"number": booking.number}
    amount = Money(hire.deposit, hire.currency)
    payment = await _receive(
        session, booking, (paying.HIRE, hire_id, paying.DEPOSIT), amount, method, title
    )
    hire.deposit_payment_id = payment.id
    return await hires.depart(session, hire_id)


async def take_rest(session: AsyncSession, hire_id: UUID, method: str) -> Payment:
    """What the deposit did not cover was received: the hire is closed by it.

    Raises:
        NotNow: nothing is owed.
        AlreadyPaying: a card payment of it is under way.
    """
    hire = await hires.locked(session, hire_id)
    owed = await paying.outstanding(session, hire)
    if hire.state != "returned" or not owed:
        raise NotNow
    booking = await bookings.locked(session, hire.booking_id)
    title = gettext("Car hire %(number)s, return") % {"number": booking.number}
    payment = await _receive(
        session, booking, (paying.HIRE, hire_id, paying.REST), owed, method, title
    )
    await hires.close(session, hire_id)
    await settled.with_the_rest(session, hire, payment)
    return payment


async def _receive(
    session: AsyncSession,
    booking: Booking,
    what: tuple[str, UUID, str],
    amount: Money,
    method: str,
    description: str,
) -> Payment:
    kind, subject_id, purpose = what
    payment = await by_hand.received(
        session,
        subject_type=kind,
        subject_id=subject_id,
        purpose=purpose,
        amount=amount,
        method=method,
        description=description,
    )
    if method == "cash":
        key = f"taken:{payment.id}"
        await cash.move(session, "taken", amount, key=key, booking_id=booking.id)
    return payment


async def to_give_back(session: AsyncSession, booking: Booking) -> Money:
    """What was received by hand and is not the business's: of a booking that is not to be, or
    more than a hire came to."""
    held = await _held(session, booking)
    left = total((each.captured_amount - each.refunded_amount for each in held), booking.currency)
    mine = _by_hand(held, booking.currency)
    surplus = left - await _sold(session, booking, left)
    return max(min(surplus, mine), Money.zero(booking.currency))


async def give_back(
    session: AsyncSession,
    booking_id: UUID,
    method: str,
    reason: str,
    key: str,
    amount: Decimal | None = None,
) -> Money:
    """Give back by hand ``amount`` of what is to be given back, or all; ``key`` names this act.

    Raises:
        NotNow: there is nothing to give back.
        Invalid: that is more than there is to give back.
    """
    booking = await bookings.locked(session, booking_id)
    most = await to_give_back(session, booking)
    if not most:
        raise NotNow(_("There is nothing to give back by hand"))
    if amount is not None:
        checks.coins(amount, booking.currency)
    rest = most if amount is None else Money(amount, booking.currency)
    if rest > most:
        text = fill(_("At most {amount} is to be given back."), amount=most)
        raise Invalid(text, field="amount")
    given = rest
    for payment in reversed(await _held(session, booking)):
        part = min(rest, payment.captured_amount - payment.refunded_amount)
        if payment.method != BY_CARD and part:
            await by_hand.given_back(session, payment.id, part, key=key)
            rest -= part
    if method == "cash":
        named = f"given:{booking_id}:{key}"
        await cash.move(session, "given_back", -given, key=named, booking_id=booking_id)
    detail = {"amount": str(given.amount), "method": method, "reason": reason}
    await audit.record(session, "car_hire.given_back", "car_hire.booking", booking_id, detail)
    return given


async def _held(session: AsyncSession, booking: Booking) -> list[Payment]:
    found = list(await Payments(session).of(paying.BOOKING, booking.id))
    hire = await hires.of_booking(session, booking.id)
    if hire is not None:
        found += await Payments(session).of(paying.HIRE, hire.id)
    return [each for each in found if each.standing in TOOK_MONEY]


def _by_hand(held: Sequence[Payment], unit: str) -> Money:
    return total(
        (each.captured_amount - each.refunded_amount for each in held if each.method != BY_CARD),
        unit,
    )


async def _sold(session: AsyncSession, booking: Booking, left: Money) -> Money:
    """What the business may keep; while a car is out, all that there is."""
    unit = booking.currency
    if booking.state in _NOT_TO_BE:
        return invoices.kept(booking)
    hire = await hires.of_booking(session, booking.id)
    if hire is not None and hire.deposit_kept:
        return left  # the desk has not yet decided what is taken of it
    if hire is None or booking.state not in _OVER:
        return left if booking.state == "out" else Money(booking.gross, unit)
    paid = booking.gross
    if booking.paid_quote_id is not None:
        paid = (await quotes.one(session, booking.paid_quote_id)).gross
    return Money(paid + (hire.billed or Decimal(0)), unit)
