"""Take, give back, tell what is used, and compare what was counted with what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import DomainError
from core.i18n import _, fill
from core.quotas.declaration import Limit
from core.quotas.models import QuotaCounter
from core.scope import Tenant

NEAR: Final = 80
"""Percent from which on an owner is warned."""

log = structlog.get_logger(__name__)


class QuotaExceeded(DomainError):
    """There is no room for more; ``members`` name the limit, what is used and what is allowed."""

    status = 409  # the state of things is in the way: 402 would promise that money helps
    code = "quota_exceeded"
    title = _("There is no room for more")

    def __init__(self, limit: Limit, used: int, allowed: int) -> None:
        text = _("{title}: {used} of {allowed} are used. {remedy}")
        super().__init__(
            fill(text, title=limit.title, used=used, allowed=allowed, remedy=limit.advice)
        )
        self.members: Mapping[str, Any] = {
            "limit": limit.name,
            "used": used,
            "allowed": allowed,
            "remedy": str(limit.advice),
        }


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a limit is used; ``allowed`` None is any number."""

    limit: Limit
    used: int
    allowed: int | None

    @property
    def percent(self) -> int:
        """Of what is allowed; above 100 where less was granted than there is already."""
        if self.allowed is None:
            return 0
        return 100 * self.used // self.allowed if self.allowed else 100

    @property
    def state(self) -> str:
        """``fine``, ``near`` from 80 % on, ``full``."""
        if self.percent >= 100:
            return "full"
        return "near" if self.percent >= NEAR else "fine"


def allowed(tenant: Tenant, limit: Limit) -> int | None:
    """How much a tenant may have now: what was granted to it, else what is declared."""
    granted = tenant.limits.get(limit.name)
    if granted is None or (granted.until is not None and granted.until <= clock.now()):
        return limit.allowed
    return granted.allowed


async def take(session: AsyncSession, limit: Limit, quantity: int = 1) -> None:
    """Count ``quantity`` more, before they are made, in the transaction that makes them.

    Raises:
        QuotaExceeded: there is no room for them; nothing is counted.
    """
    tenant: Tenant = session.info["tenant"]
    most = allowed(tenant, limit)
    if await _add(session, limit, quantity, most):
        return
    used = await _counted(session, limit)
    if used is None:
        used = await _begin(session, limit)
        if await _add(session, limit, quantity, most):
            return
    assert most is not None
    raise QuotaExceeded(limit, used, most)


async def give_back(session: AsyncSession, limit: Limit, quantity: int = 1) -> None:
    """Count ``quantity`` less of a level, in the transaction in which they go."""
    counter = update(QuotaCounter).where(*_of(session, limit))
    less = func.greatest(QuotaCounter.used - quantity, 0)
    await session.execute(counter.values(used=less, changed_at=clock.now()))


async def usage(session: AsyncSession, limits: Iterable[Limit]) -> Sequence[Usage]:
    """How much of each is used now."""
    tenant: Tenant = session.info["tenant"]
    found = []
    for limit in limits:
        used = await _counted(session, limit)
        if used is None:
            used = await limit.count(session) if limit.count is not None else 0
        found.append(Usage(limit, used, allowed(tenant, limit)))
    return found


async def recount(session: AsyncSession, limit: Limit) -> int:
    """Set a level to what there is; how far it was off. Nobody takes or gives meanwhile."""
    assert limit.count is not None
    if await _counted(session, limit) is None:
        await _begin(session, limit)
        return 0
    held = select(QuotaCounter.used).where(*_of(session, limit)).with_for_update()
    before = await session.scalar(held) or 0
    there = await limit.count(session)
    if there != before:
        log.warning("quota.drift", limit=limit.name, counted=before, there=there)
        counter = update(QuotaCounter).where(*_of(session, limit))
        await session.execute(counter.values(used=there, changed_at=clock.now()))
    return there - before


async def _add(session: AsyncSession, limit: Limit, quantity: int, most: int | None) -> bool:
    """Count up where there is room, in one statement; False without room or without a counter.

    A row that somebody else holds is waited for, and looked at anew when it is free.
    """
    counter = update(QuotaCounter).where(*_of(session, limit))
    if most is not None:
        counter = counter.where(QuotaCounter.used + quantity <= most)
    more = counter.values(used=QuotaCounter.used + quantity, changed_at=clock.now())
    return await session.scalar(more.returning(QuotaCounter.used)) is not None


async def _begin(session: AsyncSession, limit: Limit) -> int:
    """Make the counter, with what is there already. Who comes at the same time waits here for the
    row, so that nothing is made between counting and keeping what was counted."""
    tenant: Tenant = session.info["tenant"]
    first = insert(QuotaCounter).values(limit=limit.name, period=_period(limit, tenant), used=0)
    made = await session.scalar(first.on_conflict_do_nothing().returning(QuotaCounter.limit))
    if made is not None and limit.count is not None:
        counter = update(QuotaCounter).where(*_of(session, limit))
        await session.execute(counter.values(used=await limit.count(session)))
    return await _counted(session, limit) or 0


async def _counted(session: AsyncSession, limit: Limit) -> int | None:
    used: int | None = await session.scalar(select(QuotaCounter.used).where(*_of(session, limit)))
    return used


def _of(session: AsyncSession, limit: Limit) -> tuple[Any, Any]:
    tenant: Tenant = session.info["tenant"]
    return QuotaCounter.limit == limit.name, QuotaCounter.period == _period(limit, tenant)


def _period(limit: Limit, tenant: Tenant) -> str:
    """The month in which the tenant's clock stands: no arithmetic, so no month end goes wrong."""
    return f"{clock.local(clock.now(), tenant.zone):%Y-%m}" if limit.is_rate else ""
