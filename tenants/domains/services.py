"""Claim a host name, prefer it, give it up; and what a business sees of its names."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.clock import now
from core.errors import Conflict, NotFound
from core.i18n import _
from core.settings import Settings
from core.signals import Signals
from tenants.changes import announce
from tenants.domains import names
from tenants.domains.models import TenantHost
from tenants.lifecycle.statuses import locked

MOST: Final = 20
"""Names of one business."""
FIRST_CHECK_AFTER: Final = timedelta(minutes=1)


class DomainTaken(Conflict):
    """The name is somebody's."""

    code = "domain_taken"
    title = _("Another business uses this domain; to move it here, remove it there first")


async def claim(session: AsyncSession, settings: Settings, tenant_id: UUID, typed: str) -> UUID:
    """Note a business's claim to a name and give its id; it is served there once proved.

    A name that another business has proved can be claimed only while that one's records are
    wrong: whoever bought a domain need not wait until its former owner's claim has lapsed.

    Raises:
        Invalid, DomainTaken: with the field ``host``.
    """
    host = names.read(typed, settings.base_domain)
    await locked(session, tenant_id)
    mine = await of(session, tenant_id)
    if any(each.host == host for each in mine):
        raise DomainTaken(_("This domain is already on your list"), field="host")
    if len(mine) >= MOST:
        raise Conflict(_("A business can have 20 domains; remove one first"), field="host")
    holder = await session.scalar(
        select(TenantHost.id).where(
            TenantHost.host == host,
            TenantHost.verified_at.is_not(None),
            TenantHost.wrong_since.is_(None),
        )
    )
    if holder is not None:
        raise DomainTaken(field="host")
    claimed = TenantHost(tenant_id=tenant_id, host=host, token=secrets.token_hex(16))
    claimed.next_check_at = now() + FIRST_CHECK_AFTER
    session.add(claimed)
    await session.flush()
    await audit.record(session, "tenants.domain_added", "tenant", tenant_id, {"host": host})
    return claimed.id


async def of(session: AsyncSession, tenant_id: UUID) -> Sequence[TenantHost]:
    """A business's names, in the order in which they were added."""
    found = select(TenantHost).where(TenantHost.tenant_id == tenant_id).order_by(TenantHost.id)
    return (await session.scalars(found)).all()


async def one(session: AsyncSession, tenant_id: UUID, domain_id: UUID) -> TenantHost:
    """One of a business's names, as it is now.

    Raises:
        NotFound: it is none of its own.
    """
    query = select(TenantHost).where(TenantHost.id == domain_id, TenantHost.tenant_id == tenant_id)
    found = await session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


async def prefer(
    session: AsyncSession, signals: Signals, tenant_id: UUID, domain_id: UUID
) -> TenantHost:
    """Make a name the address of the business: its others lead there, and letters name it.

    Raises:
        NotFound: it is none of its own.
        Conflict: its records are not all right, so that visitors would be led nowhere.
    """
    await locked(session, tenant_id)
    wanted = await one(session, tenant_id, domain_id)
    if wanted.verified_at is None or wanted.wrong_since is not None:
        raise Conflict(_("Once its records are right, this domain can be the main address"))
    for each in await of(session, tenant_id):
        each.is_primary = False
    await session.flush()  # first: one alone may be it at any time
    wanted.is_primary = True
    await _changed(session, signals, wanted, "tenants.domain_preferred")
    return wanted


async def prefer_none(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
    """Make the subdomain the address of the business again."""
    await locked(session, tenant_id)
    for each in await of(session, tenant_id):
        if each.is_primary:
            each.is_primary = False
            await _changed(session, signals, each, "tenants.domain_not_preferred")


async def remove(
    session: AsyncSession, signals: Signals, tenant_id: UUID, domain_id: UUID
) -> TenantHost:
    """Give a name up: it is served no more, in no process.

    Raises:
        NotFound: it is none of its own.
    """
    await locked(session, tenant_id)
    found = await one(session, tenant_id, domain_id)
    await session.delete(found)
    await _changed(session, signals, found, "tenants.domain_removed")
    return found


async def is_somebody_elses(session: AsyncSession, domain: TenantHost) -> bool:
    """Whether another business has proved this name."""
    holder = select(TenantHost.id).where(
        TenantHost.host == domain.host,
        TenantHost.id != domain.id,
        TenantHost.verified_at.is_not(None),
    )
    return await session.scalar(holder) is not None


def lapses_at(domain: TenantHost, grace: timedelta) -> datetime | None:
    """When a verified name is given up, if its records stay wrong."""
    if domain.verified_at is None or domain.wrong_since is None:
        return None
    return domain.wrong_since + grace


async def _changed(
    session: AsyncSession, signals: Signals, domain: TenantHost, action: str
) -> None:
    await session.flush()
    announce(session, signals, domain.tenant_id)
    detail = {"host": domain.host}
    await audit.record(session, action, "tenant", domain.tenant_id, detail)
