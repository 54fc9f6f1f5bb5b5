"""Say whether a flag is on: for one tenant, or for a share of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth import identity as identities
from core.errors import Conflict, Invalid, NotFound
from core.flags import Flag
from core.flags.resolution import EVERYBODYS
from core.i18n import _
from core.part import core
from core.plugin import Plugin
from core.scope import FlagWords, Tenant
from core.signals import Signals
from tenants.changes import announce, announce_flag
from tenants.flags.models import FlagChoice, FlagOverride, FlagRollOut
from tenants.flags.words import SAID, words_of
from tenants.lifecycle.statuses import locked
from tenants.models import TenantRecord

LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Overridden:
    """An override, and whose it is."""

    override: FlagOverride
    slug: str
    name: str


def declared(products: Iterable[Plugin]) -> dict[str, Flag]:
    """Every flag that there is, by key: core's, then each product's."""
    return {flag.key: flag for part in (core, *products) for flag in part.flags}


def of_tenant(known: Mapping[str, Flag], tenant: Tenant) -> list[Flag]:
    """Those of core, and of the products that a tenant has."""
    owners = {EVERYBODYS, *tenant.plugins}
    return [flag for flag in known.values() if flag.product in owners]


async def override(
    session: AsyncSession,
    signals: Signals,
    tenant_id: UUID,
    flag: Flag,
    is_on: bool,  # it is the value that is kept, not a way to go
    reason: str,
    until: datetime | None = None,
) -> None:
    """Have a flag on or off for a tenant until ``until`` (aware; None: until it is cleared).

    Raises:
        Invalid: naming the field ``reason`` or ``until``.
        NotFound: there is no such tenant.
    """
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise Invalid(_("Say why, in up to 300 characters"), field="reason")
    if until is not None and until <= clock.now():
        raise Invalid(_("Choose a moment that is still to come"), field="until")
    await locked(session, tenant_id)
    values = {"is_on": is_on, "reason": reason, "until": until, **_signed()}
    row = insert(FlagOverride).values(tenant_id=tenant_id, flag=flag.key, **values)
    await session.execute(
        row.on_conflict_do_update(index_elements=["tenant_id", "flag"], set_=values)
    )
    announce(session, signals, tenant_id)
    detail = {"flag": flag.key, "on": is_on, "reason": reason, "until": until}
    await audit.record(session, "operator.flag_set", "tenant", tenant_id, detail)


async def clear(session: AsyncSession, signals: Signals, tenant_id: UUID, key: str) -> None:
    """Take the operator's word back. ``key`` may be that of a flag that is no longer declared.

    Raises:
        NotFound: no operator said anything.
    """
    mine = (FlagOverride.tenant_id == tenant_id, FlagOverride.flag == key)
    gone = await session.scalar(delete(FlagOverride).where(*mine).returning(FlagOverride.flag))
    if gone is None:
        raise NotFound(_("No operator has set this flag here"))
    announce(session, signals, tenant_id)
    await audit.record(session, "operator.flag_cleared", "tenant", tenant_id, {"flag": key})


async def roll_out(session: AsyncSession, signals: Signals, flag: Flag, percent: int) -> None:
    """Have a flag on for so many percent of the tenants; with more, nobody loses it.

    Raises:
        Invalid: naming the field ``percent``.
    """
    if not 0 <= percent <= 100:
        raise Invalid(_("Enter a number from 0 to 100"), field="percent")
    values = {"percent": percent, **_signed()}
    row = insert(FlagRollOut).values(flag=flag.key, **values)
    await session.execute(row.on_conflict_do_update(index_elements=["flag"], set_=values))
    announce_flag(session, signals, flag.key)
    await audit.record(session, "operator.flag_rolled_out", "flag", flag.key, {"percent": percent})


async def end_roll_out(session: AsyncSession, signals: Signals, key: str) -> None:
    """Let what is declared hold again. ``key`` may be that of a flag that is no longer declared.

    Raises:
        NotFound: it is not being rolled out.
    """
    ended = delete(FlagRollOut).where(FlagRollOut.flag == key).returning(FlagRollOut.flag)
    if await session.scalar(ended) is None:
        raise NotFound(_("This flag is not being rolled out"))
    announce_flag(session, signals, key)
    await audit.record(session, "operator.flag_roll_out_ended", "flag", key)


async def choose(
    session: AsyncSession,
    signals: Signals,
    tenant_id: UUID,
    flag: Flag,
    is_on: bool,  # as above
) -> None:
    """Keep what the owner chose, beside what they had chosen before.

    Raises:
        Conflict: only operators switch this flag.
        NotFound: there is no such tenant.
    """
    if not flag.is_owners:
        raise Conflict(_("Only operators switch this"))
    await locked(session, tenant_id)
    values = {"is_on": is_on, **_signed()}
    row = insert(FlagChoice).values(tenant_id=tenant_id, flag=flag.key, before=None, **values)
    await session.execute(
        row.on_conflict_do_update(
            index_elements=["tenant_id", "flag"], set_={**values, "before": FlagChoice.is_on}
        )
    )
    announce(session, signals, tenant_id)
    detail = {"flag": flag.key, "on": is_on}
    await audit.record(session, "tenants.feature_switched", "tenant", tenant_id, detail)


async def put_back(session: AsyncSession, signals: Signals, tenant_id: UUID, flag: Flag) -> None:
    """Let what the owner had chosen before count again; done twice, nothing has changed.

    Raises:
        Conflict: only operators switch this flag.
        NotFound: the owner chose nothing yet.
    """
    if not flag.is_owners:
        raise Conflict(_("Only operators switch this"))
    await locked(session, tenant_id)
    kept = await session.get(FlagChoice, (tenant_id, flag.key), with_for_update=True)
    if kept is None:
        raise NotFound(_("There is nothing to put back"))
    kept.is_on, kept.before = kept.before, kept.is_on
    for name, value in _signed().items():
        setattr(kept, name, value)
    await session.flush()
    announce(session, signals, tenant_id)
    detail = {"flag": flag.key, "on": kept.is_on}
    await audit.record(session, "tenants.feature_put_back", "tenant", tenant_id, detail)


async def said(session: AsyncSession, tenant_id: UUID) -> Mapping[str, FlagWords]:
    """What was said for a tenant, also within this transaction."""
    query = select(SAID).select_from(TenantRecord).where(TenantRecord.id == tenant_id)
    return words_of(await session.scalar(query) or {})


async def roll_outs(session: AsyncSession) -> Mapping[str, FlagRollOut]:
    """What is being rolled out, by flag."""
    return {each.flag: each for each in await session.scalars(select(FlagRollOut))}


async def overrides_of(session: AsyncSession, tenant_id: UUID) -> Mapping[str, FlagOverride]:
    """What operators said for a tenant, by flag; also what has ended since."""
    found = await session.scalars(select(FlagOverride).where(FlagOverride.tenant_id == tenant_id))
    return {each.flag: each for each in found}


async def choices_of(session: AsyncSession, tenant_id: UUID) -> Mapping[str, FlagChoice]:
    """What a tenant's owner chose, by flag."""
    found = await session.scalars(select(FlagChoice).where(FlagChoice.tenant_id == tenant_id))
    return {each.flag: each for each in found}


async def overridden(session: AsyncSession, key: str) -> Sequence[Overridden]:
    """For whom operators set a flag, by address."""
    query = (
        select(FlagOverride, TenantRecord.slug, TenantRecord.name)
        .join(TenantRecord, TenantRecord.id == FlagOverride.tenant_id)
        .where(FlagOverride.flag == key)
        .order_by(TenantRecord.slug)
    )
    return [Overridden(*row) for row in await session.execute(query)]


async def counted(session: AsyncSession) -> Mapping[str, int]:
    """For how many tenants operators set each flag."""
    query = select(FlagOverride.flag, func.count().label("n")).group_by(FlagOverride.flag)
    return {row.flag: row.n for row in await session.execute(query)}


def _signed() -> dict[str, Any]:
    """By whom, and when."""
    person = identities.current()
    return {"set_by": person.name if person else audit.SYSTEM, "set_at": clock.now()}
