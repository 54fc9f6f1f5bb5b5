"""Webhooks: received and signed for at once, acted upon by a job.

A notice only says that something changed; what, the provider is asked. So neither their order
nor their number matters.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import false, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import jobs
from core.clock import now
from core.errors import NotFound
from core.payments.gateway import installed
from core.payments.models import Payment, PaymentAccount, PaymentNotice
from core.payments.provider import BadSignature
from core.payments.services.reconcile import sync

TAKE_NOTICE = "core.payments.take_notice"


async def receive(
    session: AsyncSession, *, provider: str, token: str, body: bytes, signature: str
) -> None:
    """Verify a webhook and leave it to a job; one that came before is as good as not come.

    Raises:
        NotFound: no account has this endpoint.
        BadSignature: the account's provider did not send it.
    """
    account = await session.scalar(
        select(PaymentAccount).where(
            PaymentAccount.provider == provider, PaymentAccount.hook_token == token
        )
    )
    if account is None:
        raise NotFound
    if account.hook_secret is None:
        raise BadSignature
    opened = installed().open(account.provider, account.secret_key)
    notice = opened.read_notice(body, signature, account.hook_secret)
    new = await session.scalar(
        insert(PaymentNotice)
        .values(
            account_id=account.id,
            event_id=notice.event_id,
            kind=notice.kind,
            provider_ref=notice.ref,
            payment_id=notice.payment_id,
            received_at=now(),
        )
        .on_conflict_do_nothing()
        .returning(PaymentNotice.event_id)
    )
    if new is not None:
        args = {"account_id": account.id, "event_id": notice.event_id}
        await jobs.put(session, TAKE_NOTICE, args)


async def take(session: AsyncSession, account_id: UUID, event_id: str) -> None:
    """Look up the payment that a notice is about, if it is one of ours.

    Raises:
        ProviderUnavailable: it shows nothing now; try again later.
    """
    notice = await session.get_one(PaymentNotice, (account_id, event_id))
    by_id = Payment.id == notice.payment_id
    # A comparison with None would be IS NULL: every payment that has no reference yet.
    by_ref = Payment.provider_ref == notice.provider_ref if notice.provider_ref else false()
    payment_id = await session.scalar(
        select(Payment.id).where(Payment.account_id == account_id, by_id | by_ref)
    )
    if payment_id is not None:
        await sync(session, payment_id, notice.provider_ref)
