"""Look at a name's records, and draw the conclusions: proved, wrong, lapsed, or won by another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.clock import now
from core.db import outside
from core.notices import Notice
from core.settings import Settings
from core.signals import Signals
from tenants import notices
from tenants.changes import announce
from tenants.domains import letters, names, records
from tenants.domains.models import TenantHost
from tenants.domains.records import Look, Seen, State
from tenants.domains.resolver import Resolver
from tenants.models import TenantRecord

GRACE: Final = timedelta(days=7)
"""For how long a proved name is kept while its records are wrong."""
WARNED_AFTER: Final = timedelta(hours=1)
"""Records that are wrong for a moment, while somebody edits them, are nobody's worry."""
WARNED_BEFORE: Final = timedelta(days=3)
"""What lies at least between the warning and the loss, should checks have stood still."""

RIGHT_EVERY: Final = timedelta(hours=6)
WRONG_EVERY: Final = timedelta(minutes=30)
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=6)
PATIENCE: Final = timedelta(days=30)
"""A claim that is not proved by then is looked at no more by itself."""
LEASE: Final = timedelta(minutes=15)
"""How long a look that was asked for may take before it is asked for again."""
AT_ONCE: Final = 500
NOT_TWICE_WITHIN: Final = timedelta(seconds=5)
"""Impatient people get what was found a moment ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspector:
    """Looks at claimed names."""

    settings: Settings
    signals: Signals
    resolver: Resolver

    async def ask(self, session: AsyncSession, tenant_id: UUID, domain_id: UUID) -> None:
        """Look at once: somebody waits. From now on it is looked at often again."""
        mine = (TenantHost.id == domain_id, TenantHost.tenant_id == tenant_id)
        last = await session.scalar(select(TenantHost.checked_at).where(*mine))
        if last is not None and now() - last < NOT_TWICE_WITHIN:
            return
        await session.execute(update(TenantHost).where(*mine).values(checks=0))
        await self.look(session, domain_id)

    async def look(self, session: AsyncSession, domain_id: UUID) -> None:
        """Look at a name's records, with no transaction open meanwhile, and keep what was seen.

        A name that is gone by now, or between the two transactions, is passed over.
        """
        query = (
            select(TenantHost.host, TenantHost.token, TenantRecord.slug)
            .join(TenantRecord, TenantRecord.id == TenantHost.tenant_id)
            .where(TenantHost.id == domain_id)
        )
        row = (await session.execute(query)).one_or_none()
        if row is None:
            return
        seen = await outside(
            session,
            partial(records.look, self.settings, self.resolver, row.slug, row.host, row.token),
        )
        await self.conclude(session, row.host, domain_id, seen)

    async def conclude(self, session: AsyncSession, host: str, domain_id: UUID, seen: Look) -> None:
        """What follows from ``seen``, under a lock on all claims to the name."""
        rows = await session.scalars(
            select(TenantHost)
            .where(TenantHost.host == host)
            .order_by(TenantHost.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        claims = {each.id: each for each in rows}
        domain = claims.pop(domain_id, None)
        if domain is None:
            return
        moment = now()
        domain.records = {
            "ownership": seen.ownership.keep(),
            "routing": seen.routing.keep(),
        }
        domain.checked_at = moment
        domain.checks += 1
        if domain.verified_at is not None:
            await self._watch(session, domain, seen, moment)
        elif seen.is_right:
            holder = next((each for each in claims.values() if each.verified_at), None)
            await self._prove(session, domain, holder, seen, moment)
        domain.next_check_at = _next(domain, moment)
        await session.flush()

    async def _prove(
        self,
        session: AsyncSession,
        domain: TenantHost,
        holder: TenantHost | None,
        seen: Look,
        moment: datetime,
    ) -> None:
        """Whose record alone is in DNS has the name; while both are, it stays where it is."""
        if holder is not None:
            if records.proof(holder.token) in seen.proofs:
                return
            await self._lapse(session, holder, moment)
            await letters.lost(session, self.settings, holder)
        domain.verified_at = moment
        await self._changed(session, domain, "tenants.domain_verified")
        await _tell(session, notices.DOMAIN_PROVED, domain)

    async def _watch(
        self, session: AsyncSession, domain: TenantHost, seen: Look, moment: datetime
    ) -> None:
        if seen.is_right:
            domain.wrong_since = domain.warned_at = None
            return
        if not seen.is_wrong:  # DNS did not say: neither for nor against it
            return
        domain.wrong_since = domain.wrong_since or moment
        lapses_at = domain.wrong_since + GRACE
        if domain.warned_at is None:
            if moment - domain.wrong_since >= WARNED_AFTER:
                domain.warned_at = moment
                until = max(lapses_at, moment + WARNED_BEFORE)
                await letters.wrong(session, self.settings, domain, until)
                await _tell(session, notices.DOMAIN_WRONG, domain, until=until)
        elif moment >= lapses_at and moment - domain.warned_at >= WARNED_BEFORE:
            await self._lapse(session, domain, moment)
            await letters.lapsed(session, self.settings, domain)

    async def _lapse(self, session: AsyncSession, domain: TenantHost, moment: datetime) -> None:
        domain.verified_at = domain.wrong_since = domain.warned_at = None
        domain.is_primary = False
        domain.next_check_at, domain.checks = moment + LONGEST_PAUSE, 0
        await self._changed(session, domain, "tenants.domain_lapsed")
        await _tell(session, notices.DOMAIN_LOST, domain)

    async def _changed(self, session: AsyncSession, domain: TenantHost, action: str) -> None:
        await session.flush()
        announce(session, self.signals, domain.tenant_id)
        detail = {"host": domain.host}
        await audit.record(session, action, "tenant", domain.tenant_id, detail)


async def _tell(session: AsyncSession, notice: Notice, domain: TenantHost, **values: Any) -> None:
    host = names.shown(domain.host)
    await notices.tell(session, notice, domain.tenant_id, "/domains", host=host, **values)


async def due(session: AsyncSession) -> list[UUID]:
    """Names whose time has come; they are not given again before ``LEASE`` is over."""
    chosen = (
        select(TenantHost.id)
        .where(TenantHost.next_check_at <= now())
        .order_by(TenantHost.next_check_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    leased = (
        update(TenantHost)
        .where(TenantHost.id.in_(chosen.scalar_subquery()))
        .values(next_check_at=now() + LEASE)
        .returning(TenantHost.id)
    )
    return list(await session.scalars(leased))


def _next(domain: TenantHost, moment: datetime) -> datetime | None:
    """When to look again: seldom where all is well, ever more seldom where nothing happens."""
    if domain.verified_at is not None:
        return moment + (WRONG_EVERY if _is_worrying(domain) else RIGHT_EVERY)
    pause = min(FIRST_PAUSE * 2 ** min(domain.checks - 1, 20), LONGEST_PAUSE)
    patience = PATIENCE // LONGEST_PAUSE
    return moment + pause if domain.checks <= patience else None


def _is_worrying(domain: TenantHost) -> bool:
    kept = (domain.records or {}).values()
    return any(Seen.of(each).state is not State.RIGHT for each in kept)
