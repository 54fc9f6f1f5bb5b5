"""A letter to oneself, now: does the mail server take it, and is it signed as DNS says?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import now
from core.db import outside
from core.ids import new_id
from core.mail.models import Mail
from core.mail.office import Office, office
from core.mail.services import mark_of
from core.mail.signing import is_signed
from core.mail.smtp import Outcome, Parcel, Verdict, hand_over, packed
from core.scope import Sender, Tenant
from tenants.domains.resolver import DnsAway, Resolver
from tenants.senders import dkim

TEMPLATE = "portal/mail/sender_trial"


class Signature(StrEnum):
    """``UNKNOWN``: DNS did not answer."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of the letter; ``caught`` where no mail server is set, as in development."""

    sender: str
    caught: bool
    outcome: Outcome
    signature: Signature


async def send(
    session: AsyncSession,
    resolver: Resolver,
    tenant: Tenant,
    sender: Sender,
    *,
    to: str,
    name: str,
    locale: str,
) -> Trial:
    """Send a letter of ``tenant`` to whoever tries, and wait for the answer.

    It is signed and handed over as all its letters are, and kept among tenant zero's, marked as
    the tenant's so that its deletion takes it along.
    """
    desk = office()
    said = {"name": name, "business": tenant.name, "address": sender.address}
    letter = desk.write(TEMPLATE, tenant, locale, said)
    mail_id = new_id()
    mail = Mail(
        id=mail_id,
        key=f"tenant:{tenant.id}:trial:{mail_id}",
        template=TEMPLATE,
        recipient=to,
        recipient_mark=mark_of(to),
        locale=locale,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        state="sending",
        attempts=1,
        created_at=now(),
    )
    session.add(mail)
    await session.flush()
    parcel = await packed(desk, tenant, mail)
    outcome, signature = await outside(session, partial(_attempt, desk, resolver, parcel, sender))
    caught = not desk.smtp_url
    kept = await session.get_one(Mail, mail_id, populate_existing=True)
    kept.state, kept.error = ("caught" if caught else _STATES[outcome.verdict]), outcome.reason
    kept.settled_at = now()
    await session.flush()
    return Trial(sender=parcel.sender, caught=caught, outcome=outcome, signature=signature)


_STATES = {
    Verdict.ACCEPTED: "sent",
    Verdict.REFUSED: "failed",
    Verdict.LATER: "failed",
    Verdict.LOST: "unknown",
}


async def _attempt(
    desk: Office, resolver: Resolver, parcel: Parcel, sender: Sender
) -> tuple[Outcome, Signature]:
    signature = await _judge(resolver, parcel, sender)
    if not desk.smtp_url:
        return Outcome(Verdict.ACCEPTED), signature
    return await hand_over(desk, parcel), signature


async def _judge(resolver: Resolver, parcel: Parcel, sender: Sender) -> Signature:
    """Check the signature as its receiver will: by the key that DNS shows."""
    name = dkim.place(sender.selector, sender.address.rpartition("@")[2])
    try:
        texts = await resolver.txt(name)
    except DnsAway:
        return Signature.UNKNOWN
    published = {name: texts[0]} if len(texts) == 1 else {}
    return Signature.RIGHT if is_signed(parcel.raw, published) else Signature.WRONG
