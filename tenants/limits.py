"""What the operator grants one tenant instead of the limits that plugins declare."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth import identity as identities
from core.errors import Invalid, NotFound
from core.i18n import _
from core.plugin import Plugins
from core.quotas import Limit
from core.scope import Tenant
from core.signals import Signals
from tenants.changes import announce
from tenants.lifecycle.statuses import locked
from tenants.models import TenantLimit

MOST: Final = 2_000_000_000
LONGEST_REASON: Final = 300


def declared(always: Plugins, products: Plugins) -> dict[str, Limit]:
    """Every limit that there is, by name: core's, then each product's."""
    everybodys = (each for each in always if each.name == "core")
    return {limit.name: limit for part in (*everybodys, *products) for limit in part.limits}


def of_tenant(known: Mapping[str, Limit], tenant: Tenant) -> list[Limit]:
    """Those that count for a tenant: core's, and those of the products that it has."""
    owners = {"core", *tenant.plugins}
    return [limit for name, limit in known.items() if name.partition(".")[0] in owners]


async def granted(session: AsyncSession, tenant_id: UUID) -> Mapping[str, TenantLimit]:
    """What a tenant was granted, by the limit's name; also what has ended since."""
    found = await session.scalars(select(TenantLimit).where(TenantLimit.tenant_id == tenant_id))
    return {each.limit: each for each in found}


async def grant(
    session: AsyncSession,
    signals: Signals,
    tenant_id: UUID,
    limit: Limit,
    allowed: int | None,
    reason: str,
    until: datetime | None = None,
) -> None:
    """Let a tenant have ``allowed`` (None: any number) until ``until`` (aware; None: for good).

    Less than it uses takes nothing away: only more is refused.

    Raises:
        Invalid: naming the field ``allowed``, ``reason`` or ``until``.
        NotFound: there is no such tenant.
    """
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise Invalid(_("Say why, in up to 300 characters"), field="reason")
    if allowed is not None and not 0 <= allowed <= MOST:
        raise Invalid(_("Enter a number from 0 to 2,000,000,000"), field="allowed")
    if until is not None and until <= clock.now():
        raise Invalid(_("Choose a moment that is still to come"), field="until")
    await locked(session, tenant_id)
    person = identities.current()
    values = {
        "allowed": allowed,
        "reason": reason,
        "until": until,
        "granted_by": person.name if person else audit.SYSTEM,
        "granted_at": clock.now(),
    }
    row = insert(TenantLimit).values(tenant_id=tenant_id, limit=limit.name, **values)
    await session.execute(
        row.on_conflict_do_update(index_elements=["tenant_id", "limit"], set_=values)
    )
    announce(session, signals, tenant_id)
    detail = {"limit": limit.name, "allowed": allowed, "reason": reason, "until": until}
    await audit.record(session, "operator.limit_granted", "tenant", tenant_id, detail)


async def withdraw(session: AsyncSession, signals: Signals, tenant_id: UUID, limit: Limit) -> None:
    """Let what is declared hold again.

    Raises:
        NotFound: the tenant was granted nothing else.
    """
    mine = (TenantLimit.tenant_id == tenant_id, TenantLimit.limit == limit.name)
    gone = await session.scalar(delete(TenantLimit).where(*mine).returning(TenantLimit.limit))
    if gone is None:
        raise NotFound(_("This limit is as it is declared"))
    announce(session, signals, tenant_id)
    detail = {"limit": limit.name}
    await audit.record(session, "operator.limit_withdrawn", "tenant", tenant_id, detail)
