"""Money that no provider moves: cash, transfers, a terminal of the business's own.

It stands in the same ledger as what cards pay: a payment that took money, once for a thing and
purpose, and refunds that are counted once. Nobody outside is asked.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import now
from core.errors import Conflict, Invalid
from core.i18n import LazyText, _
from core.ids import new_id
from core.money import Money
from core.payments.models import BY_CARD, LIVE, METHODS, Payment, PaymentRefund
from core.payments.provider import Refunded
from core.payments.services.payments import AlreadyPaying
from core.payments.services.settle import announce, count, lock
from core.payments.states import TOOK_MONEY, State

WAYS: Final[dict[str, LazyText]] = {
    "cash": _("Cash"),
    "terminal": _("Card terminal"),
    "transfer": _("Bank transfer"),
}
"""How money comes and goes by hand."""


class NotByHand(Conflict):
    """The payment was made by card: the provider gives it back."""

    code = "not_by_hand"
    title = _("This was paid by card, and is given back to the card")


async def received(
    session: AsyncSession,
    *,
    subject_type: str,
    subject_id: object,
    purpose: str,
    amount: Money,
    method: str,
    description: str,
) -> Payment:
    """Note that ``amount`` was received by ``method``. One payment of a subject and purpose lives
    at a time: a repeated request gets the first.

    Raises:
        AlreadyPaying: another amount, or another way of paying, is under way for the same.
        Invalid: nothing is received.
    """
    assert method in METHODS
    assert method != BY_CARD
    wanted = amount.rounded()
    if wanted.amount <= 0:
        raise Invalid(_("The amount must be more than zero."), field="amount")
    at = now()
    made = await session.scalar(
        insert(Payment)
        .values(
            id=new_id(), subject_type=subject_type, subject_id=str(subject_id), purpose=purpose,
            description=description[:500], method=method, state=State.CAPTURED, unsettled=False,
            amount=wanted.amount, captured=wanted.amount, refunded=0, currency=wanted.unit,
            release_wanted=False, created_at=at, updated_at=at,
        )
        .on_conflict_do_nothing(
            index_elements=["subject_type", "subject_id", "purpose"], index_where=LIVE
        )
        .returning(Payment.id)
    )  # fmt: skip
    if made is not None:
        payment = await session.get_one(Payment, made)
        await announce(session, payment)
        return payment
    return await _same(session, subject_type, str(subject_id), purpose, wanted, method)


async def _same(
    session: AsyncSession, kind: str, subject_id: str, purpose: str, amount: Money, method: str
) -> Payment:
    found = await session.scalars(
        select(Payment)
        .where(Payment.subject_type == kind, Payment.subject_id == subject_id)
        .where(Payment.purpose == purpose, LIVE)
    )
    payment = found.one_or_none()
    if payment is None or (payment.captured_amount, payment.method) != (amount, method):
        raise AlreadyPaying
    return payment


async def given_back(
    session: AsyncSession, payment_id: UUID, amount: Money, *, key: str
) -> Payment:
    """Note that ``amount`` of what was received by hand was given back by hand; ``key`` names
    this act, which is counted once.

    Raises:
        NotByHand: it was paid by card.
        Invalid: more than is left of it.
    """
    payment = await lock(session, payment_id)
    if payment.method == BY_CARD:
        raise NotByHand
    known = select(PaymentRefund.id).where(
        PaymentRefund.payment_id == payment_id, PaymentRefund.provider_ref == key
    )
    if await session.scalar(known) is not None:
        return payment
    left = payment.captured - payment.refunded
    wanted = amount.rounded()
    fits = wanted.unit == payment.currency and 0 < wanted.amount <= left
    if payment.standing not in TOOK_MONEY or not fits:
        raise Invalid(_("This is more than can still be refunded."), field="amount")
    await count(session, payment, Refunded(ref=key, amount=wanted))
    await session.flush()
    return payment
