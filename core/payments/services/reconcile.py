"""Finding out what became of what was asked, and keeping old payments true."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import jobs
from core.clock import now
from core.db import outside
from core.payments.models import Payment, PaymentNotice, PaymentOperation
from core.payments.provider import (
    OutcomeUnknown,
    Provider,
    ProviderUnavailable,
    Refused,
    Snapshot,
)
from core.payments.services import accounts
from core.payments.services.asking import ask
from core.payments.services.payments import Payments
from core.payments.services.settle import RECONCILE, SYNC, Outcome, lock, settle, show
from core.payments.states import State

KEYS_LAST: Final = timedelta(hours=23)
"""Stripe remembers an idempotency key for at least 24 hours."""
STILL_THERE: Final = timedelta(minutes=15)
"""A customer who asked to pay is taken to want it still; later we only look whether it was."""
LEFT_AFTER: Final = timedelta(minutes=30)
"""A cardholder who has not finished 3-D Secure by then has left."""
KEPT: Final = timedelta(days=30)
_BATCH: Final = 200


class StillUnknown(Exception):
    """It could not be found out now; the job is tried again."""


async def reconcile(session: AsyncSession, operation_id: UUID) -> None:
    """Find out how an operation ended, if its answer never came.

    Raises:
        StillUnknown: the provider does not say; try again later.
    """
    operation = await session.get(PaymentOperation, operation_id)
    if operation is None or operation.state not in ("asked", "unknown"):
        return
    payment = await session.get_one(Payment, operation.payment_id)
    provider = await accounts.open_account(session, payment.account_id)
    try:
        outcome = await _find_out(session, provider, payment, operation)
    except ProviderUnavailable:
        raise StillUnknown from None
    if isinstance(outcome, OutcomeUnknown | ProviderUnavailable):
        # "Certainly not done" of this attempt says nothing of the one before.
        raise StillUnknown
    await settle(session, operation.id, outcome)


async def sync(session: AsyncSession, payment_id: UUID, ref: str | None = None) -> None:
    """Bring a payment up to date with what the provider shows.

    Raises:
        ProviderUnavailable: it shows nothing now.
    """
    payment = await session.get(Payment, payment_id)
    if payment is None or (shown := payment.provider_ref or ref) is None:
        return
    provider = await accounts.open_account(session, payment.account_id)
    snapshot = await outside(session, lambda: provider.retrieve(shown))
    payment = await lock(session, payment_id)
    await show(session, payment, snapshot)
    payment.updated_at = now()


async def release(session: AsyncSession, payment_id: UUID) -> None:
    """Release a reservation that nobody wants any more."""
    payment = await session.get_one(Payment, payment_id)
    if payment.standing in (State.AUTHORISED, State.REQUIRES_ACTION):
        await Payments(session).void(payment_id)
    elif payment.standing is State.DECLINED and payment.provider_ref is not None:
        ref = payment.provider_ref
        provider = await accounts.open_account(session, payment.account_id)
        await outside(session, lambda: provider.void(ref, f"{payment_id}:stray"))


async def sweep(session: AsyncSession) -> None:
    """The net under everything else: look again at what should have moved, forget what is old."""
    stale = await session.scalars(
        select(PaymentOperation.id)
        .where(PaymentOperation.state.in_(("asked", "unknown")))
        .where(PaymentOperation.created_at < now() - timedelta(minutes=5))
        .limit(_BATCH)
    )
    for operation_id in stale.all():
        await jobs.put(session, RECONCILE, {"operation_id": operation_id})
    waiting = await session.scalars(
        select(Payment)
        .where(Payment.unsettled, Payment.updated_at < now() - LEFT_AFTER)
        .order_by(Payment.updated_at)
        .limit(_BATCH)
    )
    for payment in waiting.all():
        await _wake(session, payment)
    await _forget(session)


async def _wake(session: AsyncSession, payment: Payment) -> None:
    if payment.standing is State.REQUIRES_ACTION:
        payment.release_wanted = True
        await jobs.put(session, "core.payments.release", {"payment_id": payment.id})
    elif payment.updated_at < now() - timedelta(hours=12):
        # Reservations lapse after days; the bank's word comes by webhook, or by this look.
        await jobs.put(session, SYNC, {"payment_id": payment.id})


async def _forget(session: AsyncSession) -> None:
    await session.execute(
        delete(PaymentOperation).where(
            PaymentOperation.created_at < now() - KEPT,
            PaymentOperation.state.in_(("done", "failed")),
        )
    )
    await session.execute(delete(PaymentNotice).where(PaymentNotice.received_at < now() - KEPT))


async def _find_out(
    session: AsyncSession, provider: Provider, payment: Payment, operation: PaymentOperation
) -> Outcome:
    age = now() - operation.created_at
    if operation.kind == "authorise":
        found = await _found(session, provider, payment, operation)
        if found is not None:
            return found
        if age > STILL_THERE or payment.release_wanted:
            return Refused(reason="not_reached")
    if age < KEYS_LAST:
        return await ask(session, provider, payment, operation)
    return await _by_sight(session, provider, payment, operation)


async def _found(
    session: AsyncSession, provider: Provider, payment: Payment, operation: PaymentOperation
) -> Snapshot | None:
    payment_id, since = payment.id, operation.created_at
    return await outside(session, lambda: provider.find(payment_id, since))


async def _by_sight(
    session: AsyncSession, provider: Provider, payment: Payment, operation: PaymentOperation
) -> Outcome:
    """Too late to ask again by key: what the provider shows decides. A refused refund is followed
    by a look, which counts it if it was made after all."""
    ref = operation.request["ref"]
    snapshot = await outside(session, lambda: provider.retrieve(ref))
    if snapshot.state is {"capture": State.CAPTURED, "void": State.VOIDED}.get(operation.kind):
        return snapshot
    return Refused(reason="not_reached")
