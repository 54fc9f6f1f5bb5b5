"""What is counted inside a tenant's own scope: numbers, and nobody's name."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.models import User
from core.db import Databases, outside
from core.scope import Tenant

log = structlog.get_logger(__name__)


async def people_of(
    session: AsyncSession, databases: Databases, tenant: Tenant | None
) -> Mapping[str, int] | None:
    """How many people of each role a tenant has; None where it cannot be asked: it is being
    made or deleted, or its database is away."""
    if tenant is None or tenant.status in {"provisioning", "deleting"}:
        return None

    async def count() -> Mapping[str, int] | None:
        try:
            async with databases.transaction(tenant) as there:
                rows = await there.execute(
                    select(User.role, func.count().label("people")).group_by(User.role)
                )
                return {row.role: row.people for row in rows}
        except (SQLAlchemyError, OSError) as problem:
            log.warning("console.tenant_away", tenant=str(tenant.id), error=type(problem).__name__)
            return None

    return await outside(session, count)
