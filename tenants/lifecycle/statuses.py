"""The statuses of a tenant, and which may follow which."""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Conflict, NotFound
from core.i18n import _
from tenants.models import TenantRecord


class Status(StrEnum):
    """``closed`` can be undone for a time; ``deleting`` cannot."""

    PROVISIONING = "provisioning"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"
    DELETING = "deleting"


MOVES: Final = {
    Status.PROVISIONING: frozenset({Status.ACTIVE, Status.DELETING}),
    Status.ACTIVE: frozenset({Status.SUSPENDED, Status.CLOSED}),
    Status.SUSPENDED: frozenset({Status.ACTIVE, Status.CLOSED}),
    Status.CLOSED: frozenset({Status.ACTIVE, Status.SUSPENDED, Status.DELETING}),
    Status.DELETING: frozenset[Status](),
}
"""What a tenant's status may become; in the end of ``deleting`` there is no tenant any more."""


def move(tenant: TenantRecord, status: Status) -> bool:
    """Change the status; False if it is that already.

    Raises:
        Conflict: the present status does not allow it.
    """
    if tenant.status == status:
        return False
    if status not in MOVES[Status(tenant.status)]:
        raise Conflict(_("The present status of this business does not allow it"))
    tenant.status = status
    return True


async def locked(session: AsyncSession, tenant_id: UUID) -> TenantRecord:
    """A tenant's record, which nobody else changes until this transaction ends.

    Raises:
        NotFound: there is none.
    """
    tenant = await session.get(
        TenantRecord, tenant_id, with_for_update=True, populate_existing=True
    )
    if tenant is None:
        raise NotFound
    return tenant
