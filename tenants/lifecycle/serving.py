"""Whether a tenant is served: suspended by the operator, or under maintenance for a while."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.clock import now
from core.errors import Conflict, Invalid
from core.i18n import _
from core.signals import Signals
from tenants.changes import announce
from tenants.lifecycle.statuses import Status, locked, move

LONGEST_TEXT: Final = 300


async def suspend(
    session: AsyncSession, signals: Signals, tenant_id: UUID, reason: str = ""
) -> None:
    """Stop serving a tenant; nothing of it is lost.

    Visitors get a page that says so, jobs wait, webhooks are still taken in. ``reason`` is
    shown to its owners in the portal, and to nobody else.
    """
    tenant = await locked(session, tenant_id)
    if not move(tenant, Status.SUSPENDED):
        return
    tenant.suspended_at, tenant.suspended_reason = now(), _line(reason, "reason")
    await session.flush()
    announce(session, signals, tenant_id)
    detail = {"reason": tenant.suspended_reason}
    await audit.record(session, "tenants.suspended", "tenant", tenant_id, detail)


async def resume(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
    """Serve a suspended tenant again; what waited goes on.

    Raises:
        Conflict: it is closed: that is undone by ``reopen``.
    """
    tenant = await locked(session, tenant_id)
    if tenant.status != Status.SUSPENDED:
        if tenant.status == Status.ACTIVE:
            return
        raise Conflict(_("Only a suspended business can be resumed"))
    move(tenant, Status.ACTIVE)
    tenant.suspended_at, tenant.suspended_reason = None, None
    await session.flush()
    announce(session, signals, tenant_id)
    await audit.record(session, "tenants.resumed", "tenant", tenant_id)


async def begin_maintenance(
    session: AsyncSession,
    signals: Signals,
    tenant_id: UUID,
    message: str = "",
    until: datetime | None = None,
) -> None:
    """Let customers wait, with ``message`` and the planned end ``until`` (aware, if known);
    staff go on working, and so do jobs. It lasts until ``end_maintenance``, whatever was planned.

    Raises:
        Invalid: naming the field ``until`` or ``message``.
        Conflict: the tenant is not served anyway.
    """
    if until is not None and until <= now():
        raise Invalid(_("Choose a moment that is still to come"), field="until")
    tenant = await locked(session, tenant_id)
    if tenant.status != Status.ACTIVE:
        raise Conflict(_("Only a business that is open can be under maintenance"))
    tenant.maintenance_since = tenant.maintenance_since or now()
    tenant.maintenance_message = _line(message, "message")
    tenant.maintenance_until = until
    await session.flush()
    announce(session, signals, tenant_id)
    detail = {"message": tenant.maintenance_message, "until": until}
    await audit.record(session, "tenants.maintenance_begun", "tenant", tenant_id, detail)


async def end_maintenance(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
    """Let customers in again."""
    tenant = await locked(session, tenant_id)
    if tenant.maintenance_since is None:
        return
    tenant.maintenance_since = tenant.maintenance_message = tenant.maintenance_until = None
    await session.flush()
    announce(session, signals, tenant_id)
    await audit.record(session, "tenants.maintenance_ended", "tenant", tenant_id)


def _line(text: str, field: str) -> str:
    """One line of text that can be kept."""
    line = " ".join(text.split())
    if len(line) > LONGEST_TEXT or not line.isprintable():
        raise Invalid(_("Write one line of up to 300 characters"), field=field)
    return line
