"""Taking money by card: authorise, capture, void, refund.

Each records what it is about to ask, ends the transaction, asks, and records the answer; an
answer that was lost leaves the payment `unknown` (or still `capturing`, `voiding`), and a job
finds it out. Asked twice, by a double click or a retried request, each does its work once and
gives both callers the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import now
from core.db import outside
from core.errors import Conflict, Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from core.money import Money
from core.payments.models import LIVE, Payment, PaymentOperation
from core.payments.provider import (
    Declined,
    OutcomeUnknown,
    ProviderUnavailable,
    Refused,
)
from core.payments.services import accounts
from core.payments.services.asking import Request, ask, written
from core.payments.services.settle import Outcome, ask_soon, lock, move, settle, shown
from core.payments.states import (
    PENDING,
    TOOK_MONEY,
    NotInState,
    State,
    check,
)

WATCH_AFTER: Final = timedelta(seconds=60)
"""Longer than a call may take with all its attempts: then its process has died."""
WAIT: Final = 12.0
"""Seconds for which a second request waits for the answer to the first."""
_AGAIN: Final = "#again:"
"""Between a refund's key and what makes another attempt's own."""


class AlreadyPaying(Conflict):
    """There is a payment of this already, of another amount or on its way back."""

    code = "already_paying"
    title = _("A payment for this is already under way")


class NoSavedCard(Conflict):
    """The card was given for one payment alone."""

    code = "no_saved_card"
    title = _("The card of this payment was not kept. Ask for a card")


class Payments:
    """The payments of the tenant that the session belongs to."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, payment_id: UUID) -> Payment:
        """One payment.

        Raises:
            NotFound: there is none of that id.
        """
        payment = await self._session.get(Payment, payment_id)
        if payment is None:
            raise NotFound
        return payment

    async def of(self, subject_type: str, subject_id: object) -> Sequence[Payment]:
        """Every payment of a thing, the oldest first."""
        found = await self._session.scalars(
            select(Payment)
            .where(Payment.subject_type == subject_type, Payment.subject_id == str(subject_id))
            .order_by(Payment.created_at)
        )
        return found.all()

    async def authorise(
        self,
        *,
        subject_type: str,
        subject_id: object,
        amount: Money,
        method: str,
        description: str,
        purpose: str = "charge",
        return_url: str | None = None,
        save: bool = False,
    ) -> Payment:
        """Reserve ``amount`` on the card that ``method`` (from the card element) stands for, which
        the provider keeps for ``authorise_again`` if it is to ``save`` it.

        One payment of a subject and purpose lives at a time: a repeated request gets the first
        one's outcome. The answer may be `requires_action` (see ``resume``) or `unknown`. What the
        session has recorded before is committed, as is the outcome.

        Raises:
            Declined: and recorded; another attempt is another payment.
            ProviderUnavailable: nothing was charged.
            NotAcceptingCards: the business has not connected a provider.
            AlreadyPaying: another amount is being paid for the same, or an earlier payment of
                it is being released.
        """
        account = await accounts.active(self._session)
        what = (subject_type, str(subject_id), purpose)
        request = Request(method=method, return_url=return_url, save=save)
        return await self._authorise(account.id, what, amount, description, request)

    async def authorise_again(
        self,
        like: Payment,
        *,
        subject_type: str,
        subject_id: object,
        amount: Money,
        description: str,
        purpose: str,
    ) -> Payment:
        """Reserve ``amount`` on the card of an earlier payment, at that payment's account, without
        its holder; otherwise as ``authorise``.

        Raises:
            NoSavedCard: the card of ``like`` was not kept.
            Declined: by the bank, which may want to ask the holder (``authentication_required``).
            ProviderUnavailable, AlreadyPaying: as ``authorise``.
        """
        if like.account_id is None or not (like.customer_ref and like.method_ref):
            raise NoSavedCard
        what = (subject_type, str(subject_id), purpose)
        request = Request(method=like.method_ref, customer=like.customer_ref)
        return await self._authorise(like.account_id, what, amount, description, request)

    async def _authorise(
        self,
        account_id: UUID,
        what: tuple[str, str, str],
        amount: Money,
        description: str,
        request: Request,
    ) -> Payment:
        _check_amount(amount)
        provider = await accounts.open_account(self._session, account_id)
        subject_type, subject_id, purpose = what
        payment = await self._begin(
            account_id=account_id,
            subject_type=subject_type,
            subject_id=subject_id,
            purpose=purpose,
            description=description[:500],
            amount=amount.rounded().amount,
            currency=amount.unit,
        )
        if payment is None:
            return await self._same(subject_type, subject_id, purpose, amount)
        operation = await self._intend(payment, "authorise", payment.amount, request)
        outcome = await ask(self._session, provider, payment, operation)
        return await self._answer(operation, outcome)

    async def resume(self, payment_id: UUID) -> Payment:
        """After the cardholder's step (3-D Secure): see how it went.

        Raises:
            Declined: the bank, or the cardholder, said no.
        """
        payment = await self.look(await self.get(payment_id))
        if payment.standing is State.DECLINED:
            raise Declined(payment.failure_code)
        return payment

    async def look(self, payment: Payment) -> Payment:
        """Bring the payment up to date with what the provider shows; as it is if that is away.

        What was shown is committed: it stays true if the caller goes on to refuse something.
        """
        if payment.provider_ref is None:
            return payment
        ref = payment.provider_ref
        provider = await accounts.open_account(self._session, payment.account_id)
        try:
            snapshot = await outside(self._session, lambda: provider.retrieve(ref))
        except ProviderUnavailable:
            return payment
        return await shown(self._session, payment.id, snapshot)

    async def capture(self, payment_id: UUID, amount: Money | None = None) -> Payment:
        """Collect ``amount`` (None: all of it), at most what was authorised; the rest is released.

        Raises:
            NotInState: it is not authorised (any more).
            Refused, ProviderUnavailable: it was not done.
        """
        payment = await self._settled(payment_id)
        wanted = self._amount(payment, amount)
        if payment.standing in TOOK_MONEY and payment.captured == wanted:
            return payment
        check(payment.standing, State.CAPTURING)
        if wanted > payment.amount:
            raise Invalid(_("This is more than was reserved on the card."), field="amount")
        return await self._change(payment, "capture", wanted, State.CAPTURING)

    async def void(self, payment_id: UUID) -> Payment:
        """Release what was reserved. While the reservation itself is in doubt, it is released as
        soon as it is found.

        Raises:
            NotInState: money was taken already; refund it.
            Refused, ProviderUnavailable: it was not done; a job goes on asking.
        """
        payment = await lock(self._session, payment_id)
        if payment.standing in (State.AUTHORISING, State.UNKNOWN, State.CREATED):
            payment.release_wanted = True
            return payment
        payment = await self._settled(payment_id)
        if payment.standing in (State.VOIDED, State.DECLINED, State.VOIDING):
            return payment  # it is, or what became of it is being found out
        check(payment.standing, State.VOIDING)
        payment.release_wanted = True
        return await self._change(payment, "void", payment.amount, State.VOIDING)

    async def refund(self, payment_id: UUID, amount: Money | None = None, *, key: str) -> Payment:
        """Give back ``amount`` (all that is left if None). ``key`` names this refund: asked for
        twice under one key it is made once.

        Raises:
            NotInState: nothing was captured.
            Refused, ProviderUnavailable: it was not done.
        """
        payment = await self._settled(payment_id)
        if payment.standing not in TOOK_MONEY:
            raise NotInState
        full_key = f"{payment.id}:refund:{key}"
        attempts = await self._refunds_of(payment, full_key)
        if any(each.state != "failed" for each in attempts):
            return payment
        left = payment.captured - payment.refunded - await self._being_refunded(payment)
        wanted = left if amount is None else self._amount(payment, amount)
        if not 0 < wanted <= left:
            raise Invalid(_("This is more than can still be refunded."), field="amount")
        if attempts:  # Stripe would repeat its refusal to the same key
            full_key = f"{full_key}{_AGAIN}{new_id()}"
        request = Request(ref=payment.provider_ref or "")
        operation = await self._intend(payment, "refund", wanted, request, key=full_key)
        return await self._ask(payment, operation)

    async def refundable(self, payment: Payment) -> Money:
        """What can still be given back, without what the provider is being asked for just now."""
        left = payment.captured - payment.refunded - await self._being_refunded(payment)
        return Money(left, payment.currency)

    async def knows_refund(self, payment: Payment, key: str) -> bool:
        """Whether the refund of this ``key`` was asked for, and not refused."""
        attempts = await self._refunds_of(payment, f"{payment.id}:refund:{key}")
        return any(each.state != "failed" for each in attempts)

    async def _begin(self, **values: object) -> Payment | None:
        """The new payment, or None where a live one stands in its place."""
        made = await self._session.scalar(
            insert(Payment)
            .values(
                id=new_id(), state=State.AUTHORISING, created_at=now(), updated_at=now(), **values
            )
            .values(unsettled=True, captured=0, refunded=0, release_wanted=False)
            .on_conflict_do_nothing(
                index_elements=["subject_type", "subject_id", "purpose"], index_where=LIVE
            )
            .returning(Payment.id)
        )
        return None if made is None else await self._session.get_one(Payment, made)

    async def _same(
        self, subject_type: str, subject_id: str, purpose: str, amount: Money
    ) -> Payment:
        """The outcome of the request that came first."""
        found = await self._session.scalars(
            select(Payment)
            .where(Payment.subject_type == subject_type, Payment.subject_id == subject_id)
            .where(Payment.purpose == purpose)
            .order_by(Payment.created_at.desc())
            .limit(1)
        )
        payment = await self._settled(found.one().id)
        if payment.standing is State.DECLINED:
            raise Declined(payment.failure_code)
        going = payment.release_wanted or payment.standing is State.VOIDED
        if going or (payment.amount, payment.currency) != (amount.rounded().amount, amount.unit):
            raise AlreadyPaying
        return payment

    async def _settled(self, payment_id: UUID) -> Payment:
        """The payment, locked, once no answer is awaited; as it is if that takes too long."""
        payment = await lock(self._session, payment_id)
        waited = 0.0
        while payment.standing in PENDING - {State.UNKNOWN} and waited < WAIT:
            await outside(self._session, partial(asyncio.sleep, 0.1))
            waited += 0.1
            payment = await lock(self._session, payment_id)
        return payment

    async def _change(self, payment: Payment, kind: str, amount: Decimal, during: State) -> Payment:
        request = Request(ref=payment.provider_ref or "", before=payment.state)
        await move(self._session, payment, during)
        operation = await self._intend(payment, kind, amount, request)
        return await self._ask(payment, operation)

    async def _ask(self, payment: Payment, operation: PaymentOperation) -> Payment:
        provider = await accounts.open_account(self._session, payment.account_id)
        outcome = await ask(self._session, provider, payment, operation)
        return await self._answer(operation, outcome)

    async def _intend(
        self,
        payment: Payment,
        kind: str,
        amount: Decimal,
        request: Request,
        key: str | None = None,
    ) -> PaymentOperation:
        """Write down what is about to be asked, and have it looked into should we not return."""
        operation = PaymentOperation(
            id=new_id(),
            payment_id=payment.id,
            kind=kind,
            amount=amount,
            key=key or f"{payment.id}:{kind}:{new_id()}",
            request=written(request),
        )
        self._session.add(operation)
        await self._session.flush()
        await ask_soon(self._session, operation, WATCH_AFTER)
        return operation

    async def _answer(self, operation: PaymentOperation, outcome: Outcome) -> Payment:
        payment = await settle(self._session, operation.id, outcome)
        if isinstance(outcome, Declined | Refused | ProviderUnavailable):
            raise outcome
        if isinstance(outcome, OutcomeUnknown):
            return await self.get(payment.id)
        return payment

    async def _refunds_of(self, payment: Payment, key: str) -> Sequence[PaymentOperation]:
        """Every attempt at the refund named ``key``: the first and those after a refusal."""
        again = PaymentOperation.key.startswith(f"{key}{_AGAIN}", autoescape=True)
        found = await self._session.scalars(
            select(PaymentOperation).where(
                PaymentOperation.payment_id == payment.id,
                or_(PaymentOperation.key == key, again),
            )
        )
        return found.all()

    async def _being_refunded(self, payment: Payment) -> Decimal:
        total = await self._session.scalar(
            select(func.coalesce(func.sum(PaymentOperation.amount), 0)).where(
                PaymentOperation.payment_id == payment.id,
                PaymentOperation.kind == "refund",
                PaymentOperation.state.in_(("asked", "unknown")),
            )
        )
        return Decimal(total or 0)

    @staticmethod
    def _amount(payment: Payment, amount: Money | None) -> Decimal:
        if amount is None:
            return payment.amount
        _check_amount(amount)
        if amount.unit != payment.currency:
            raise Invalid(_("This is not the payment's currency."), field="amount")
        return amount.rounded().amount


def _check_amount(amount: Money) -> None:
    if amount.rounded().amount <= 0:
        raise Invalid(_("The amount must be more than zero."), field="amount")
