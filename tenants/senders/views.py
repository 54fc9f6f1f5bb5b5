"""The address that a business sends from, with its records and their state, as people and
programs see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from core.settings import Settings
from tenants.domains.records import State
from tenants.senders import dkim, dmarc, keys, records, services, spf
from tenants.senders.findings import Finding, finding
from tenants.senders.models import MailSender, SenderKey


class Status(StrEnum):
    """``TAKEN``: its records are right, but another business sends from the domain; ``FAILING``:
    letters still leave from it; ``FALLEN_BACK``: they leave from our address until it is mended.
    """

    WAITING = "waiting"
    TAKEN = "taken"
    WORKING = "working"
    FAILING = "failing"
    FALLEN_BACK = "fallen_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """A TXT record to make, or to change into ``value``. ``strings`` is the same for name servers
    that want pieces; ``key_state`` is that of a DKIM record's key."""

    purpose: str
    name: str
    value: str
    strings: str | None = None
    key_state: str | None = None
    retires_at: datetime | None = None
    seen: Finding | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderView:
    """Moments are aware."""

    address: str
    domain: str
    name: str | None
    reply_to: str | None
    status: Status
    records: Sequence[RecordView]
    checked_at: datetime | None
    next_check_at: datetime | None
    fallen_back_at: datetime | None

    @property
    def works(self) -> bool:
        """Whether letters leave from it."""
        return self.status in {Status.WORKING, Status.FAILING}

    @property
    def awaits_key(self) -> bool:
        """Whether another key waits for its record."""
        return any(each.key_state == "next" for each in self.records)


async def view(session: AsyncSession, settings: Settings, sender: MailSender) -> SenderView:
    """A business's address."""
    found = {purpose: Finding.of(each) for purpose, each in (sender.records or {}).items()}
    kept = await services.keys_of(session, sender.id)
    return SenderView(
        address=sender.address,
        domain=sender.domain,
        name=sender.name,
        reply_to=sender.reply_to,
        status=await _status(session, sender, found),
        records=[
            RecordView(
                purpose=records.OWNERSHIP,
                name=f"{records.CHALLENGE}.{sender.domain}",
                value=records.proof(sender.token),
                seen=found.get(records.OWNERSHIP),
            ),
            _spf(settings, sender, found.get(records.SPF)),
            *[_key(sender, each, found) for each in kept],
            RecordView(
                purpose=records.DMARC,
                name=dmarc.place(sender.domain),
                value=dmarc.PROPOSED,
                seen=found.get(records.DMARC),
            ),
        ],
        checked_at=sender.checked_at,
        next_check_at=sender.next_check_at,
        fallen_back_at=sender.fallen_back_at,
    )


def _spf(settings: Settings, sender: MailSender, seen: Finding | None) -> RecordView:
    """What stands there already is part of what should: a domain has one SPF record."""
    proposed = spf.merged((), records.mechanism(settings))
    value = proposed
    if seen is not None:
        value = seen.publish or (seen.found[0] if seen.found else proposed)
    return RecordView(purpose=records.SPF, name=sender.domain, value=value, seen=seen)


def _key(sender: MailSender, key: SenderKey, found: dict[str, Finding]) -> RecordView:
    value = keys.record_of(key.public)
    return RecordView(
        purpose=records.DKIM,
        name=dkim.place(key.selector, sender.domain),
        value=value,
        strings=keys.strings_of(value),
        key_state=key.state,
        retires_at=key.retires_at,
        seen=found.get(records.of_key(key.selector)),
    )


async def _status(session: AsyncSession, sender: MailSender, found: dict[str, Finding]) -> Status:
    if sender.fallen_back_at is not None:
        return Status.FALLEN_BACK
    if sender.verified_at is not None:
        return Status.FAILING if sender.failures else Status.WORKING
    proved = found.get(records.OWNERSHIP, finding(State.UNKNOWN)).state is State.RIGHT
    if proved and await services.is_somebody_elses(session, sender.tenant_id, sender.domain):
        return Status.TAKEN
    return Status.WAITING
