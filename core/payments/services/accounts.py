"""The tenant's own keys: entered, checked against the provider, kept encrypted."""

from __future__ import annotations

import secrets
from typing import Final
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit.services import record
from core.db import outside
from core.errors import Conflict, Invalid
from core.i18n import _, fill
from core.payments.gateway import installed
from core.payments.models import Payment, PaymentAccount
from core.payments.provider import AccountInfo, Hook, KeysRefused, Provider, Refused
from core.scope import current

PROVIDER: Final = "stripe"
_ALONE: Final = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('payments.connect ' || :scope, 0))"
)


class NotAcceptingCards(Conflict):
    """The business has not connected a payment provider."""

    code = "no_card_payments"
    title = _("This business does not take card payments here yet")


async def active_or_none(session: AsyncSession) -> PaymentAccount | None:
    """The account that new payments go to, if one is connected."""
    found = await session.scalars(select(PaymentAccount).where(PaymentAccount.active))
    return found.one_or_none()


async def active(session: AsyncSession) -> PaymentAccount:
    """The account that new payments go to.

    Raises:
        NotAcceptingCards: none is connected.
    """
    account = await active_or_none(session)
    if account is None:
        raise NotAcceptingCards
    return account


async def accepts_cards(session: AsyncSession) -> bool:
    """Whether cards can be taken at all."""
    return await active_or_none(session) is not None


class NotByCard(Conflict):
    """No provider knows of a payment that was received by hand."""

    code = "not_by_card"
    title = _("This was not paid by card here")


async def open_account(session: AsyncSession, account_id: UUID | None) -> Provider:
    """The provider, opened with the keys of the account a payment was begun with.

    Raises:
        NotByCard: it was begun with none.
    """
    if account_id is None:
        raise NotByCard
    account = await session.get_one(PaymentAccount, account_id)
    return installed().open(account.provider, account.secret_key)


def hook_url(account: PaymentAccount) -> str:
    """Where the provider sends this account's webhooks."""
    endpoint = f"{current().id.hex}.{account.hook_token}"
    return installed().hook_url(account.provider, endpoint)


async def connect(
    session: AsyncSession, *, publishable_key: str, secret_key: str
) -> PaymentAccount:
    """Check the keys with the provider, have webhooks sent to us, and take payments with them.

    Raises:
        Invalid: the keys have the wrong form, do not belong together, or are not accepted.
        ProviderUnavailable: they could not be checked; nothing was changed.
    """
    _check_form(publishable_key, secret_key)
    provider = installed().open(PROVIDER, secret_key)
    try:
        info = await outside(session, provider.account)
    except KeysRefused:
        raise Invalid(_("Stripe does not accept this key."), field="secret_key") from None
    account = await _account_of(session, info, publishable_key, secret_key)
    hook = None if account.hook_ref else await _register(session, provider, account)
    # Only now do its new keys replace those it had: until here they were not proven to work.
    await _alone(session)
    await session.refresh(account, with_for_update=True)
    account.publishable_key, account.secret_key = publishable_key, secret_key
    account.name = info.name[:200]
    if hook is not None:
        account.hook_ref, account.hook_secret = hook.ref, hook.secret
    await session.execute(
        update(PaymentAccount)
        .where(PaymentAccount.active, PaymentAccount.id != account.id)
        .values(active=False)
    )
    account.active = True
    await session.flush()
    await record(
        session, "payments.account_connected", "payment_account", account.id, {"ref": info.ref}
    )
    return account


async def disconnect(session: AsyncSession) -> None:
    """Take no new payments; those begun can still be captured, released and refunded."""
    account = await active(session)
    account.active = False
    await session.flush()
    await record(session, "payments.account_disconnected", "payment_account", account.id)


async def _account_of(
    session: AsyncSession, info: AccountInfo, publishable_key: str, secret_key: str
) -> PaymentAccount:
    """The row of that provider's account, as it was; a new one takes no payments yet.

    Stripe's test mode is an account of its own here: it has its own keys, webhooks and payments.
    """
    await _alone(session)
    live = "_live_" in secret_key
    found = await session.scalars(
        select(PaymentAccount)
        .where(PaymentAccount.account_ref == info.ref, PaymentAccount.live == live)
        .order_by(PaymentAccount.created_at)
        .limit(1)
        .with_for_update()
    )
    if account := found.one_or_none():
        return account
    account = PaymentAccount(
        provider=PROVIDER,
        account_ref=info.ref,
        name=info.name[:200],
        live=live,
        publishable_key=publishable_key,
        secret_key=secret_key,
        hook_token=secrets.token_hex(16),
        active=False,
    )
    session.add(account)
    await session.flush()
    return account


async def _alone(session: AsyncSession) -> None:
    """Of those who connect an account for this tenant, go on as the only one until the commit:
    a form sent twice must find the row that its first sending made, and one account is active."""
    await session.execute(_ALONE, {"scope": current().scope.name})


async def _register(
    session: AsyncSession, provider: Provider, account: PaymentAccount
) -> Hook | None:
    """Without webhooks payments still come to their end, by being looked at, only later: an
    address that the provider cannot reach is no reason to refuse the keys."""
    url = hook_url(account)
    key = f"hook:{account.hook_token}"
    try:
        return await outside(session, lambda: provider.register_hook(url, key))
    except Refused:
        return None


def _check_form(publishable_key: str, secret_key: str) -> None:
    for field, key, begins in (
        ("publishable_key", publishable_key, ("pk_test_", "pk_live_")),
        ("secret_key", secret_key, ("sk_test_", "sk_live_", "rk_test_", "rk_live_")),
    ):
        if not key.startswith(begins) or len(key) > 255 or not key.isascii():
            message = _("A key from your Stripe dashboard begins with {begins}.")
            raise Invalid(fill(message, begins=begins[0]), field=field)
    if ("_live_" in publishable_key) != ("_live_" in secret_key):
        raise Invalid(
            _("One key is for tests and the other for real payments."), field="publishable_key"
        )


async def disown(session: AsyncSession) -> None:
    """In a copy of a business: payments and accounts are history, never asked about again.

    The keys themselves are not copied; see the columns' ``info``.
    """
    for account in await session.scalars(select(PaymentAccount)):
        account.active, account.hook_ref = False, None
        account.hook_token = secrets.token_hex(16)
    await session.execute(update(Payment).values(unsettled=False, updated_at=Payment.updated_at))
    await session.flush()
