"""What an answer means: the one place where a payment's state changes.

Answers come by three ways (of the call itself, of a webhook, of a later look) in any order and
any number. Each is applied under the payment's row lock; a step that the table of states does
not allow has been taken already, or was shown too late, and is passed over.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import events, jobs
from core.clock import now
from core.db import outside
from core.ids import new_id
from core.payments.events import (
    PaymentAuthorised,
    PaymentCaptured,
    PaymentEvent,
    PaymentFailed,
    PaymentRefunded,
)
from core.payments.models import Payment, PaymentOperation, PaymentRefund
from core.payments.provider import (
    Declined,
    OutcomeUnknown,
    ProviderUnavailable,
    Refunded,
    Refused,
    Snapshot,
)
from core.payments.states import HOLDING, State, check, may, shown_may

log = structlog.get_logger(__name__)

Outcome = Snapshot | Refunded | Declined | Refused | ProviderUnavailable | OutcomeUnknown

RECONCILE: Final = "core.payments.reconcile"
SYNC: Final = "core.payments.sync"
VOID: Final = "core.payments.release"
SOON: Final = timedelta(seconds=5)


async def lock(session: AsyncSession, payment_id: UUID) -> Payment:
    """The payment as it stands, its row locked until the transaction ends."""
    found = await session.scalars(
        select(Payment)
        .where(Payment.id == payment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.one()


async def settle(session: AsyncSession, operation_id: UUID, outcome: Outcome) -> Payment:
    """Record how an operation ended, and make it durable at once.

    Whatever the caller does next, even undo its own transaction to show an error, what happened
    at the provider must not be undone with it.
    """
    operation = await session.get_one(PaymentOperation, operation_id)
    payment = await lock(session, operation.payment_id)
    await session.refresh(operation)
    if operation.state in ("asked", "unknown"):
        await _end(session, payment, operation, outcome)
    await session.flush()
    await outside(session, _nothing)
    return payment


async def shown(session: AsyncSession, payment_id: UUID, snapshot: Snapshot) -> Payment:
    """Apply what the provider showed, and make it durable at once, like an answer."""
    payment = await lock(session, payment_id)
    await show(session, payment, snapshot)
    await session.flush()
    await outside(session, _nothing)
    return payment


async def show(session: AsyncSession, payment: Payment, snapshot: Snapshot) -> None:
    """Apply what the provider shows to a locked payment."""
    _note(payment, snapshot)
    before, after = payment.standing, snapshot.state
    if after is not None and shown_may(before, after):
        if after is State.CAPTURED:
            payment.captured = snapshot.captured.amount
        await move(session, payment, after)
    elif after in (State.AUTHORISED, State.REQUIRES_ACTION) and before is State.DECLINED:
        # It reached the provider after we had given it up: nobody wants it any more.
        log.warning("payment.stray", payment=str(payment.id))
        await jobs.put(session, VOID, {"payment_id": payment.id}, key=f"stray:{payment.id}")
    for refund in snapshot.refunds:
        await count(session, payment, refund)


async def move(session: AsyncSession, payment: Payment, after: State) -> None:
    """Take a step that the table allows, and tell whoever listens."""
    check(payment.standing, after)
    payment.state = after
    payment.unsettled = after in HOLDING
    if after in (State.AUTHORISED, State.REQUIRES_ACTION) and payment.release_wanted:
        await jobs.put(session, VOID, {"payment_id": payment.id}, key=f"release:{new_id()}")
    await announce(session, payment)


async def announce(session: AsyncSession, payment: Payment) -> None:
    """Tell whoever listens where a payment stands now."""
    if (told := _event(payment)) is not None:
        await events.emit(session, told)


async def ask_soon(session: AsyncSession, operation: PaymentOperation, wait: timedelta) -> None:
    """Have an operation looked into after ``wait``, should its answer not have come by then."""
    await jobs.put(session, RECONCILE, {"operation_id": operation.id}, due_at=now() + wait)


async def _end(
    session: AsyncSession, payment: Payment, operation: PaymentOperation, outcome: Outcome
) -> None:
    if isinstance(outcome, OutcomeUnknown):
        operation.state = "unknown"
        if operation.kind == "authorise" and may(payment.standing, State.UNKNOWN):
            await move(session, payment, State.UNKNOWN)
        await ask_soon(session, operation, SOON)
        return
    operation.ended_at = now()
    operation.state = "done" if isinstance(outcome, Snapshot | Refunded) else "failed"
    match outcome:
        case Snapshot():
            await show(session, payment, outcome)
        case Refunded():
            await count(session, payment, outcome)
        case Declined() | Refused():
            operation.error = outcome.reason
            await _fall_back(session, payment, operation, outcome)
        case ProviderUnavailable():
            operation.error = "not_reached"
            await _fall_back(session, payment, operation, outcome)


async def _fall_back(
    session: AsyncSession, payment: Payment, operation: PaymentOperation, outcome: Outcome
) -> None:
    """It was certainly not done."""
    if isinstance(outcome, Declined) and outcome.ref and payment.provider_ref is None:
        payment.provider_ref = outcome.ref
    match operation.kind:
        case "authorise":
            payment.failure_code = operation.error
            if may(payment.standing, State.DECLINED):
                await move(session, payment, State.DECLINED)
        case "capture" | "void":
            earlier = State(operation.request["from"])
            if may(payment.standing, earlier):
                payment.state = earlier  # a retreat: nothing new to tell anybody
            if operation.kind == "void":  # who asked may not ask again: once, a job takes over
                args, once = {"payment_id": payment.id}, f"release:{payment.id}"
                await jobs.put(session, VOID, args, key=once)
    if isinstance(outcome, Refused) and payment.provider_ref:
        # We may have had a wrong idea of where the payment stands.
        await jobs.put(session, SYNC, {"payment_id": payment.id})


def _note(payment: Payment, snapshot: Snapshot) -> None:
    payment.provider_ref = payment.provider_ref or snapshot.ref
    payment.card = snapshot.card or payment.card
    payment.lapses_at = snapshot.lapses_at or payment.lapses_at
    if snapshot.customer and snapshot.method:
        payment.customer_ref, payment.method_ref = snapshot.customer, snapshot.method
    if snapshot.state is State.DECLINED:
        payment.failure_code = payment.failure_code or snapshot.failure_code or "card_declined"
    action = snapshot.next_action
    payment.client_secret = action.client_secret if action else None
    payment.redirect_url = action.redirect_url if action else None


async def count(session: AsyncSession, payment: Payment, refund: Refunded) -> None:
    """Count a refund once, whoever tells of it first and however often."""
    await session.execute(
        insert(PaymentRefund)
        .values(
            id=new_id(),
            payment_id=payment.id,
            provider_ref=refund.ref,
            amount=refund.amount.amount,
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["payment_id", "provider_ref"])
    )
    total = await session.scalar(
        select(func.coalesce(func.sum(PaymentRefund.amount), Decimal(0))).where(
            PaymentRefund.payment_id == payment.id
        )
    )
    before = payment.refunded
    if total is None or total <= before or not payment.captured:
        return
    payment.refunded = min(total, payment.captured)
    whole = payment.refunded == payment.captured
    after = State.REFUNDED if whole else State.PARTIALLY_REFUNDED
    if payment.standing is after:
        await events.emit(session, _told(PaymentRefunded, payment, payment.refunded))
    else:
        await move(session, payment, after)


def _event(payment: Payment) -> PaymentEvent | None:
    match payment.standing:
        case State.AUTHORISED:
            return _told(PaymentAuthorised, payment, payment.amount)
        case State.CAPTURED:
            return _told(PaymentCaptured, payment, payment.captured)
        case State.REFUNDED | State.PARTIALLY_REFUNDED:
            return _told(PaymentRefunded, payment, payment.refunded)
        case State.DECLINED | State.VOIDED:
            reason = payment.failure_code or payment.state
            return _told(PaymentFailed, payment, payment.amount, reason=reason)
    return None


def _told(kind: type[PaymentEvent], payment: Payment, amount: Decimal, **more: str) -> PaymentEvent:
    return kind(
        payment_id=payment.id,
        subject_type=payment.subject_type,
        subject_id=payment.subject_id,
        purpose=payment.purpose,
        amount=str(amount),
        currency=payment.currency,
        **more,
    )


async def _nothing() -> None:
    """What is done outside where only the commit before it is wanted."""
