"""Say which address a business sends from, change its key, give it up."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.auth.names import clean_email
from core.clock import now
from core.db import outside
from core.errors import Conflict, Invalid, NotFound
from core.i18n import _
from core.settings import Settings
from core.signals import Signals
from tenants.changes import announce
from tenants.lifecycle.statuses import locked
from tenants.senders import addresses, keys
from tenants.senders.models import MailSender, SenderKey

FIRST_CHECK_AFTER: Final = timedelta(minutes=1)
LONGEST_NAME: Final = 100


class SenderTaken(Conflict):
    """The domain is proved by another business."""

    code = "sender_taken"
    title = _("Another business sends from this domain; to move it here, remove it there first")


async def choose(
    session: AsyncSession,
    settings: Settings,
    signals: Signals,
    tenant_id: UUID,
    *,
    address: str,
    name: str | None = None,
    reply_to: str | None = None,
) -> MailSender:
    """Say which address a business sends from; it does once the domain's records are found.

    With another domain, everything begins anew: another proof, another key. While another
    business sends from a domain, it cannot be entered here at all.

    Raises:
        Invalid, SenderTaken: naming the field at fault.
    """
    whole, domain = addresses.read(address, settings.base_domain)
    shown = _display_name(name)
    answers = _reply_to(reply_to)
    pair = await outside(session, keys.fresh)
    await locked(session, tenant_id)
    if await is_somebody_elses(session, tenant_id, domain):
        raise SenderTaken(field="address")
    sender = await of(session, tenant_id)
    if sender is not None and sender.domain != domain:
        await session.delete(sender)
        await session.flush()
        sender = None
    if sender is None:
        sender = MailSender(tenant_id=tenant_id, domain=domain, token=secrets.token_hex(16))
        sender.address = whole
        sender.next_check_at = now() + FIRST_CHECK_AFTER
        session.add(sender)
        await session.flush()
        session.add(keys.row(sender.id, tenant_id, pair, "current"))
    sender.address, sender.name, sender.reply_to = whole, shown, answers
    await _changed(session, signals, sender, "tenants.sender_chosen")
    return sender


async def of(session: AsyncSession, tenant_id: UUID) -> MailSender | None:
    """The address of a business, as it is now; None if it has none."""
    query = select(MailSender).where(MailSender.tenant_id == tenant_id)
    return await session.scalar(query.execution_options(populate_existing=True))


async def one(session: AsyncSession, tenant_id: UUID) -> MailSender:
    """The address of a business.

    Raises:
        NotFound: it has none.
    """
    found = await of(session, tenant_id)
    if found is None:
        raise NotFound
    return found


async def keys_of(session: AsyncSession, sender_id: UUID) -> Sequence[SenderKey]:
    """The keys of a sender, oldest first."""
    query = select(SenderKey).where(SenderKey.sender_id == sender_id).order_by(SenderKey.id)
    return (await session.scalars(query.execution_options(populate_existing=True))).all()


async def renew_key(session: AsyncSession, tenant_id: UUID) -> MailSender:
    """Make the next key. The present one signs until the next one's record is found.

    Raises:
        NotFound: the business has no address of its own.
        Conflict: a key already waits for its record.
    """
    await one(session, tenant_id)
    pair = await outside(session, keys.fresh)
    await locked(session, tenant_id)
    sender = await one(session, tenant_id)
    if any(each.state == "next" for each in await keys_of(session, sender.id)):
        raise Conflict(_("A new key already waits for its record: publish that one"))
    session.add(keys.row(sender.id, tenant_id, pair, "next"))
    sender.checks, sender.next_check_at = 0, now() + FIRST_CHECK_AFTER
    await session.flush()
    detail = {"domain": sender.domain}
    await audit.record(session, "tenants.sender_key_made", "tenant", tenant_id, detail)
    return sender


async def release(session: AsyncSession, signals: Signals, tenant_id: UUID) -> MailSender:
    """Give the address up with its keys; letters leave from ours again, and whoever proves the
    domain may send from it.

    Raises:
        NotFound: the business has none.
    """
    await locked(session, tenant_id)
    sender = await one(session, tenant_id)
    await session.delete(sender)
    await _changed(session, signals, sender, "tenants.sender_released")
    return sender


async def is_somebody_elses(session: AsyncSession, tenant_id: UUID, domain: str) -> bool:
    """Whether another business sends from this domain."""
    holder = select(MailSender.id).where(
        MailSender.domain == domain,
        MailSender.tenant_id != tenant_id,
        MailSender.verified_at.is_not(None),
    )
    return await session.scalar(holder) is not None


async def _changed(
    session: AsyncSession, signals: Signals, sender: MailSender, action: str
) -> None:
    await session.flush()
    announce(session, signals, sender.tenant_id)
    detail = {"address": sender.address}
    await audit.record(session, action, "tenant", sender.tenant_id, detail)


def _display_name(typed: str | None) -> str | None:
    name = " ".join((typed or "").split())
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid(_("Please use at most 100 ordinary characters."), field="name")
    return name or None


def _reply_to(typed: str | None) -> str | None:
    if not (typed or "").strip():
        return None
    try:
        address = clean_email(typed or "")
    except Invalid as problem:
        raise Invalid(problem.message, field="reply_to") from problem
    if not address.isascii():
        raise Invalid(_("Enter a whole address, such as desk@example.com."), field="reply_to")
    return address
