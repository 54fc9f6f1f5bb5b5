"""A fine or toll is charged: to the card of the deposit, or by a link that takes any card.

The card is asked once, by a job, without its holder; where there is none, or the bank says no, the
customer gets a link. However often a message comes there is one payment, by its subject.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs
from core.audit import services as audit
from core.auth.tokens import MAX_LENGTH, digest, fresh_token
from core.errors import NotFound
from core.i18n import _, gettext
from core.money import Money
from core.payments.events import PaymentAuthorised
from core.payments.models import Payment
from core.payments.provider import Declined
from core.payments.services import by_hand
from core.payments.services.payments import Payments
from core.payments.states import FAILED, TOOK_MONEY, State
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, LaterCharge, states
from plugins.car_hire.services import cash, paying
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.later import letters, papers, recording
from plugins.car_hire.services.telling import LATER

PURPOSE: Final = "later"
CHARGE: Final = "car_hire.charge_later"
"""The job that asks the card, or sends the link."""

_WRITTEN: Final = {
    "charged": "car_hire.later_charged",
    "contested": "car_hire.later_contested",
    "waived": "car_hire.later_waived",
}
"""What the audit log calls a step."""


async def charge(
    session: AsyncSession, later_id: UUID, expected: int | None = None, *, by_link: bool = False
) -> LaterCharge:
    """Tell the customer, and take it from the card that was kept; or send them a link to pay.

    Raises:
        NotNow: it is charged already, paid or waived.
        EditedMeanwhile: it changed since version ``expected``.
    """
    found = await _move(session, later_id, "charged", "", expected)
    found.charged_at, found.link = clock.now(), None
    if (await policy.read(session)).issues_papers:
        await papers.invoice(session, found)
    told = {"later_id": later_id, "by_link": by_link}
    await jobs.put(session, CHARGE, told, key=f"later:{later_id}:{found.version}")
    return found


async def ask(session: AsyncSession, later_id: UUID, by_link: bool) -> None:
    """Ask the bank, or the customer. Any number of times.

    Raises:
        ProviderUnavailable: to be tried again.
    """
    found = await recording.locked(session, later_id)
    if found.state != "charged" or found.link is not None:
        return
    card = None if by_link else await _kept_card(session, found)
    if card is not None:
        try:
            await Payments(session).authorise_again(
                card,
                subject_type=LATER,
                subject_id=later_id,
                purpose=PURPOSE,
                amount=found.total,
                description=await _title(session, found),
            )
        except Declined:
            card = None  # the link takes another one
    if card is None:
        await _send_link(session, later_id)


async def _send_link(session: AsyncSession, later_id: UUID) -> None:
    found = await recording.locked(session, later_id)
    if found.state == "charged" and found.link is None:
        secret = fresh_token()
        found.link = digest(secret)
        await letters.to_pay(session, found, f"/car-hire/charges/{secret}")


async def _kept_card(session: AsyncSession, found: LaterCharge) -> Payment | None:
    payments = await Payments(session).of(paying.HIRE, found.hire_id)
    return next((each for each in reversed(payments) if each.has_saved_card), None)


async def _title(session: AsyncSession, found: LaterCharge) -> str:
    booking = await session.get_one(Booking, found.booking_id)
    return gettext("Fines and tolls of car hire %(number)s") % {"number": booking.number}


async def by_secret(session: AsyncSession, secret: str) -> LaterCharge:
    """What the link with ``secret`` is to pay.

    Raises:
        NotFound: nothing.
    """
    query = select(LaterCharge).where(LaterCharge.link == digest(secret[:MAX_LENGTH]))
    found: LaterCharge | None = await session.scalar(query)
    if found is None:
        raise NotFound(_("This link does not lead to a payment"))
    return found


async def pay(session: AsyncSession, later_id: UUID, method: str) -> Payment:
    """The customer pays by the card that ``method`` stands for.

    Raises:
        NotNow: it is not to be paid.
        Declined: the bank said no; another card may do.
    """
    found = await recording.locked(session, later_id)
    if found.state != "charged":
        raise NotNow
    payment = await Payments(session).authorise(
        subject_type=LATER,
        subject_id=later_id,
        purpose=PURPOSE,
        amount=found.total,
        method=method,
        description=await _title(session, found),
    )
    return await _collected(session, later_id, payment)


async def answered(session: AsyncSession, later_id: UUID) -> None:
    """The cardholder has answered the bank.

    Raises:
        NotNow: nothing was asked.
        Declined: the bank, or the cardholder, said no.
    """
    payment = await waiting(session, later_id)
    if payment is None:
        raise NotNow
    await _collected(session, later_id, await Payments(session).resume(payment.id))


async def waiting(session: AsyncSession, later_id: UUID) -> Payment | None:
    """The payment that is under way, if one is."""
    payments = await Payments(session).of(LATER, later_id)
    return next((each for each in reversed(payments) if each.standing not in FAILED), None)


async def authorised(session: AsyncSession, event: PaymentAuthorised) -> None:
    """Money was reserved for one of ours: collect it. Any number of times."""
    if event.subject_type == LATER:
        payment = await Payments(session).get(event.payment_id)
        await session.refresh(payment)
        await _collected(session, UUID(event.subject_id), payment)


async def _collected(session: AsyncSession, later_id: UUID, payment: Payment) -> Payment:
    found = await recording.locked(session, later_id)
    if payment.standing is State.AUTHORISED and found.state not in {"charged", "paid"}:
        return await Payments(session).void(payment.id)  # contested or waived meanwhile
    if payment.standing is State.AUTHORISED:
        payment = await Payments(session).capture(payment.id)
    if payment.standing in TOOK_MONEY:
        await _paid(session, later_id, payment)
    return payment


async def received(
    session: AsyncSession, later_id: UUID, method: str, expected: int | None = None
) -> LaterCharge:
    """It was paid over the counter, or by the bank.

    Raises:
        NotNow: it is not to be paid.
        AlreadyPaying: a card payment of it is under way.
        EditedMeanwhile: it changed since version ``expected``.
    """
    found = await recording.locked(session, later_id)
    if found.state not in {"charged", "contested"}:
        raise NotNow
    edit(found, expected)
    payment = await by_hand.received(
        session,
        subject_type=LATER,
        subject_id=later_id,
        purpose=PURPOSE,
        amount=found.total,
        method=method,
        description=await _title(session, found),
    )
    if method == "cash":
        key, amount = f"taken:{payment.id}", Money(found.gross, found.currency)
        await cash.move(session, "taken", amount, key=key, booking_id=found.booking_id)
    await _paid(session, later_id, payment)
    return found


async def _paid(session: AsyncSession, later_id: UUID, payment: Payment) -> None:
    found = await recording.locked(session, later_id)
    if found.state == "paid":
        return
    if found.state == "waived":  # while the bank was asked: it was faster than the desk
        await Payments(session).refund(payment.id, key="waived")
        return
    states.check(states.LATER, found.state, "paid")
    edit(found, None)
    found.state, found.payment_id, found.paid_at = "paid", payment.id, clock.now()
    await audit.record(session, "car_hire.later_paid", LATER, later_id, {"method": payment.method})
    await letters.paid(session, found, payment)
    if (await policy.read(session)).issues_papers:
        await papers.receipt(session, found, payment)


async def contest(
    session: AsyncSession, later_id: UUID, why: str, expected: int | None = None
) -> LaterCharge:
    """The customer says that it is not theirs; nothing is taken until that is decided.

    Raises:
        NotNow: it is not charged, or paid.
        EditedMeanwhile: it changed since version ``expected``.
    """
    return await _move(session, later_id, "contested", why, expected)


async def waive(
    session: AsyncSession, later_id: UUID, why: str, expected: int | None = None
) -> LaterCharge:
    """The customer need not pay; an invoice of it is taken back by a credit note.

    Raises:
        NotNow: it is paid, or waived already.
        EditedMeanwhile: it changed since version ``expected``.
    """
    found = await _move(session, later_id, "waived", why, expected)
    await papers.take_back(session, found, why)
    return found


async def _move(
    session: AsyncSession, later_id: UUID, state: str, why: str, expected: int | None
) -> LaterCharge:
    found = await recording.locked(session, later_id)
    states.check(states.LATER, found.state, state)
    edit(found, expected)
    found.state, found.said = state, why
    await session.flush()
    told = {"why": why} if why else {}
    await audit.record(session, _WRITTEN[state], LATER, later_id, told)
    return found
