"""The end of a tenant: closed by its owner, which can be undone for a time, then deleted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import mail
from core.audit import services as audit
from core.auth.models import User
from core.clock import now
from core.errors import Conflict
from core.i18n import _
from core.jobs import put
from core.permissions import Role
from core.settings import Settings
from core.signals import Signals
from tenants import notices
from tenants.changes import announce
from tenants.lifecycle.statuses import Status, locked, move
from tenants.models import Membership, TenantRecord
from tenants.runs import note_run

DELETE: Final = "tenants.delete"
"""The job of tenant zero that works a deletion off."""
DELETION: Final = ("schema", "role", "outbox", "files", "redis", "traces", "catalogue")
"""The steps of a deletion; with the schema and the role gone, nothing new can be written."""


async def close(
    session: AsyncSession, signals: Signals, settings: Settings, tenant_id: UUID
) -> datetime:
    """Stop serving a tenant for good; when it will be deleted, unless it is reopened before.

    Its owners are told by letter. Jobs wait and webhooks are still taken in, so that nothing is
    lost if it is reopened.

    Raises:
        Conflict: it is not open, or being made.
    """
    tenant = await locked(session, tenant_id)
    if move(tenant, Status.CLOSED):
        tenant.closed_at = now()
        tenant.delete_after = tenant.closed_at + timedelta(days=settings.closing_grace_days)
        tenant.maintenance_since = tenant.maintenance_message = tenant.maintenance_until = None
        await session.flush()
        announce(session, signals, tenant_id)
        detail = {"delete_after": tenant.delete_after}
        await audit.record(session, "tenants.closed", "tenant", tenant_id, detail)
        await _tell_owners(session, settings, tenant, "closed", {"ends": tenant.delete_after})
        until = tenant.delete_after
        await notices.tell(session, notices.CLOSED, tenant_id, "/upkeep", until=until)
    assert tenant.delete_after is not None
    return tenant.delete_after


async def reopen(
    session: AsyncSession, signals: Signals, settings: Settings, tenant_id: UUID
) -> None:
    """Undo the closing: it is served as before, or suspended if it was.

    Raises:
        Conflict: its deletion has begun.
    """
    tenant = await locked(session, tenant_id)
    if tenant.status in {Status.ACTIVE, Status.SUSPENDED}:
        return
    if tenant.status != Status.CLOSED:
        raise Conflict(_("This business cannot be brought back any more"))
    move(tenant, Status.SUSPENDED if tenant.suspended_at else Status.ACTIVE)
    tenant.closed_at = tenant.delete_after = None
    await session.flush()
    announce(session, signals, tenant_id)
    await audit.record(session, "tenants.reopened", "tenant", tenant_id)
    await _tell_owners(session, settings, tenant, "reopened", {})


async def delete(session: AsyncSession, signals: Signals, tenant_id: UUID) -> UUID:
    """Begin to delete a closed tenant, or one whose making never ended; the id of the run.
    There is no way back.

    Raises:
        Conflict: it is not closed.
    """
    tenant = await locked(session, tenant_id)
    move(tenant, Status.DELETING)
    await session.flush()
    announce(session, signals, tenant_id)
    await audit.record(session, "tenants.deletion_begun", "tenant", tenant_id)
    run_id = await note_run(session, tenant_id, DELETION)
    await put(session, DELETE, {"run_id": run_id}, key=str(run_id))
    return run_id


async def delete_due(session: AsyncSession, signals: Signals) -> list[UUID]:
    """Begin to delete every tenant whose time of grace is over; the ids of the runs."""
    due = await session.scalars(
        select(TenantRecord.id)
        .where(TenantRecord.status == Status.CLOSED, TenantRecord.delete_after <= now())
        .order_by(TenantRecord.id)
    )
    return [await delete(session, signals, each) for each in due.all()]


async def owners_of(session: AsyncSession, tenant_id: UUID) -> list[User]:
    """The accounts of the portal that own a tenant."""
    query = (
        select(User)
        .join(Membership, Membership.account_id == User.id)
        .where(Membership.tenant_id == tenant_id, Membership.role == Role.OWNER.value)
        .order_by(User.id)
    )
    return list(await session.scalars(query))


async def _tell_owners(
    session: AsyncSession,
    settings: Settings,
    tenant: TenantRecord,
    what: str,
    context: dict[str, Any],
) -> None:
    moment = now().isoformat()
    for owner in await owners_of(session, tenant.id):
        await mail.send(
            session,
            f"portal/mail/{what}",
            owner.email,
            {
                "name": owner.name,
                "business": tenant.name,
                "url": f"{settings.public_url}/businesses/{tenant.id}/upkeep",
                **context,
            },
            locale=owner.locale or tenant.locale,
            # By this key its letters are found and removed when the tenant is deleted.
            key=f"tenant:{tenant.id}:{what}:{owner.id}:{moment}",
        )
