"""End what was entered by an account of the portal whose password was lost."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.auth.sessions import Sessions
from core.db import Databases, outside
from core.scope import Directory
from tenants.models import Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrances:
    """Ends people's sessions in tenants' own scopes. One serves a whole process."""

    databases: Databases
    directory: Directory
    sessions: Sessions

    async def shut(self, session: AsyncSession, tenant_id: UUID, user_id: UUID) -> None:
        """End all sessions and open links of a person of a tenant.

        Whoever had the account could enter there as them, and make sessions for programs too: so
        all end, however they began. One that is being made or deleted has none.
        """
        tenant = await self.directory.by_id(tenant_id)
        if tenant is None or tenant.status in {"provisioning", "deleting"}:
            return

        async def end() -> None:
            async with self.databases.transaction(tenant) as there:
                await self.sessions.end_entered(there, user_id)
                await audit.record(there, "core.sessions_ended_by_reset", "user", user_id)

        await outside(session, end)


async def places_of(session: AsyncSession, account_id: UUID) -> list[tuple[UUID, UUID]]:
    """The tenants that an account may enter, each with who it is there."""
    query = select(Membership.tenant_id, Membership.user_id)
    rows = await session.execute(query.where(Membership.account_id == account_id))
    return [(row.tenant_id, row.user_id) for row in rows]
