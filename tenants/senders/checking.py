"""Look at a sender's records, and draw the conclusions: proved, in danger, fallen back, lapsed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.clock import now
from core.db import outside
from core.settings import Settings
from core.signals import Signals
from tenants.changes import announce
from tenants.domains.checking import NOT_TWICE_WITHIN
from tenants.domains.records import State
from tenants.domains.resolver import Resolver
from tenants.senders import letters, records, services
from tenants.senders.findings import Finding
from tenants.senders.models import MailSender
from tenants.senders.records import NEEDED, OWNERSHIP, SPF, Looks, Public, of_key

WARNED_AFTER: Final = 2
"""Looks in a row that find a record surely wrong; one may meet somebody who is editing."""
FALLS_BACK_AFTER: Final = 4
"""From then on letters leave from our address: a receiver might refuse what is not proved."""
OVERLAP: Final = timedelta(days=7)
"""For so long the record of a former key is wanted: letters wait in queues for up to five days."""
GRACE: Final = timedelta(days=14)
"""After it without its proof, the domain is anybody's again."""

RIGHT_EVERY: Final = timedelta(hours=6)
WRONG_EVERY: Final = timedelta(minutes=30)
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=6)
PATIENCE: Final = timedelta(days=30)
"""An address that is not proved by then is looked at no more by itself."""
LEASE: Final = timedelta(minutes=15)
AT_ONCE: Final = 500
_WRONG: Final = frozenset({State.MISSING, State.DIFFERENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderInspector:
    """Looks at the records of the addresses that businesses send from."""

    settings: Settings
    signals: Signals
    resolver: Resolver

    async def ask(self, session: AsyncSession, tenant_id: UUID) -> None:
        """Look at once: somebody waits. From now on it is looked at often again."""
        sender = await services.one(session, tenant_id)
        if sender.checked_at is not None and now() - sender.checked_at < NOT_TWICE_WITHIN:
            return
        sender.checks = 0
        await session.flush()
        await self.look(session, sender.id)

    async def look(self, session: AsyncSession, sender_id: UUID) -> None:
        """Look at the records, with no transaction open meanwhile, and keep what was seen.

        An address that is gone by now, or between the two transactions, is passed over.
        """
        sender = await session.get(MailSender, sender_id)
        if sender is None:
            return
        wanted = [
            Public(each.selector, each.public)
            for each in await services.keys_of(session, sender_id)
            if each.state != "former"
        ]
        ask = partial(
            records.look, self.settings, self.resolver, sender.domain, sender.token, wanted
        )
        seen = await outside(session, ask)
        await self.conclude(session, sender.domain, sender_id, seen)

    async def conclude(
        self, session: AsyncSession, domain: str, sender_id: UUID, seen: Looks
    ) -> None:
        """What follows from ``seen``, under a lock on all who would send from the domain."""
        rows = await session.scalars(
            select(MailSender)
            .where(MailSender.domain == domain)
            .order_by(MailSender.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        senders = {each.id: each for each in rows}
        sender = senders.pop(sender_id, None)
        if sender is None:
            return
        moment = now()
        sender.records = {purpose: found.keep() for purpose, found in seen.items()}
        sender.checked_at = moment
        sender.checks += 1
        current, awaits = await self._turn_keys(session, sender, seen, moment)
        needed = _needed(seen, current)
        if sender.verified_at is not None:
            await self._watch(session, sender, seen, needed, moment)
        elif _all_right(needed) and not any(each.verified_at for each in senders.values()):
            sender.verified_at, sender.failures = moment, 0
            await self._changed(session, sender, "tenants.sender_verified")
        sender.next_check_at = _next(sender, needed, moment, awaits=awaits)
        await session.flush()

    async def _turn_keys(
        self, session: AsyncSession, sender: MailSender, seen: Looks, moment: datetime
    ) -> tuple[str, bool]:
        """Sign by the next key once its record is there, and forget keys that are over.

        Gives the selector that signs, and whether another still waits for its record.
        """
        found = await services.keys_of(session, sender.id)
        for each in found:
            if each.retires_at is not None and each.retires_at <= moment:
                await session.delete(each)
        keys = {each.state: each for each in found}
        current, following = keys["current"], keys.get("next")
        if following is None or _state(seen, of_key(following.selector)) is not State.RIGHT:
            return current.selector, following is not None
        current.state, current.private, current.retires_at = "former", None, moment + OVERLAP
        await session.flush()  # first: one alone may be it at any time
        following.state = "current"
        await self._changed(session, sender, "tenants.sender_key_changed")
        return following.selector, False

    async def _watch(
        self,
        session: AsyncSession,
        sender: MailSender,
        seen: Looks,
        needed: Sequence[Finding],
        moment: datetime,
    ) -> None:
        if _all_right(needed):
            was_away = sender.fallen_back_at is not None
            sender.failures = 0
            sender.warned_at = sender.fallen_back_at = sender.unproved_since = None
            if was_away:
                await self._changed(session, sender, "tenants.sender_restored")
            return
        if not any(each.state in _WRONG for each in needed):  # DNS did not say
            return
        sender.failures += 1
        if seen[OWNERSHIP].state in _WRONG:
            sender.unproved_since = sender.unproved_since or moment
        elif seen[OWNERSHIP].state is State.RIGHT:
            sender.unproved_since = None
        if sender.failures >= WARNED_AFTER and sender.warned_at is None:
            sender.warned_at = moment
            await letters.wrong(session, self.settings, sender)
        if sender.failures >= FALLS_BACK_AFTER and sender.fallen_back_at is None:
            sender.fallen_back_at = moment
            await letters.fell_back(session, self.settings, sender)
            await self._changed(session, sender, "tenants.sender_fell_back")
        if sender.unproved_since is not None and moment - sender.unproved_since >= GRACE:
            await self._lapse(session, sender, moment)

    async def _lapse(self, session: AsyncSession, sender: MailSender, moment: datetime) -> None:
        if sender.warned_at is None or moment - sender.warned_at < GRACE / 2:
            return  # checks stood still: nobody loses a domain unwarned
        sender.verified_at = sender.fallen_back_at = sender.unproved_since = None
        sender.failures = sender.checks = 0
        await letters.lapsed(session, self.settings, sender)
        await self._changed(session, sender, "tenants.sender_lapsed")

    async def _changed(self, session: AsyncSession, sender: MailSender, action: str) -> None:
        await session.flush()
        announce(session, self.signals, sender.tenant_id)
        detail = {"address": sender.address}
        await audit.record(session, action, "tenant", sender.tenant_id, detail)


async def due(session: AsyncSession) -> list[UUID]:
    """Senders whose time has come; they are not given again before ``LEASE`` is over."""
    chosen = (
        select(MailSender.id)
        .where(MailSender.next_check_at <= now())
        .order_by(MailSender.next_check_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    leased = (
        update(MailSender)
        .where(MailSender.id.in_(chosen.scalar_subquery()))
        .values(next_check_at=now() + LEASE)
        .returning(MailSender.id)
    )
    return list(await session.scalars(leased))


def _needed(seen: Looks, selector: str) -> list[Finding]:
    """What was found of the records without which no letter leaves; a key made since is not
    among them."""
    found = [seen.get(OWNERSHIP), seen.get(SPF), seen.get(of_key(selector))]
    return [each for each in found if each is not None]


def _all_right(needed: Sequence[Finding]) -> bool:
    return len(needed) == len(NEEDED) and all(each.state is State.RIGHT for each in needed)


def _state(seen: Looks, purpose: str) -> State | None:
    found = seen.get(purpose)
    return found.state if found else None


def _next(
    sender: MailSender, needed: Sequence[Finding], moment: datetime, *, awaits: bool
) -> datetime | None:
    """When to look again: seldom where all is well, ever more seldom where nothing happens, and
    soon where a key ``awaits`` its record."""
    if sender.verified_at is not None:
        return moment + (RIGHT_EVERY if _all_right(needed) and not awaits else WRONG_EVERY)
    pause = min(FIRST_PAUSE * 2 ** min(sender.checks - 1, 20), LONGEST_PAUSE)
    return moment + pause if sender.checks <= PATIENCE // LONGEST_PAUSE else None
