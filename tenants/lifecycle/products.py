"""A tenant's products: given, taken away and given back."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Conflict, NotFound
from core.i18n import _
from core.jobs import put
from core.signals import Signals
from tenants.changes import announce
from tenants.lifecycle.ordering import PROVISION
from tenants.lifecycle.statuses import locked
from tenants.models import DedicatedRequest, TenantPlugin
from tenants.runs import note_run


async def enable_plugin(
    session: AsyncSession, signals: Signals, tenant_id: UUID, plugin: str
) -> UUID | None:
    """Give a tenant a product: at once if it had it before, else by the run whose id is given."""
    await locked(session, tenant_id)
    chosen = await session.get(TenantPlugin, (tenant_id, plugin))
    if chosen is not None:
        if chosen.state == "removing":
            raise Conflict(_("This product is being removed"))
        if chosen.state == "disabled":
            chosen.state = "enabled"
            announce(session, signals, tenant_id)
        return None
    session.add(TenantPlugin(tenant_id=tenant_id, plugin=plugin))
    run_id = await note_run(session, tenant_id, ["tables", f"seed:{plugin}", "activate"])
    await put(session, PROVISION, {"run_id": run_id}, key=str(run_id))
    return run_id


async def disable_plugin(
    session: AsyncSession, signals: Signals, tenant_id: UUID, plugin: str
) -> None:
    """Take a product away from a tenant; its data stays and is migrated on."""
    await locked(session, tenant_id)
    chosen = await session.get(TenantPlugin, (tenant_id, plugin))
    if chosen is None:
        raise NotFound
    if chosen.state == "installing":
        raise Conflict(_("This product is still being set up"))
    if chosen.state == "removing":
        return
    chosen.state = "disabled"
    announce(session, signals, tenant_id)


async def request_dedicated(
    session: AsyncSession, tenant_id: UUID, account_id: UUID, note: str = ""
) -> None:
    """Keep a tenant's wish for a database of its own, until such can be ordered."""
    session.add(DedicatedRequest(tenant_id=tenant_id, account_id=account_id, note=note))
    await session.flush()
