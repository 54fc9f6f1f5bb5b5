"""Dead letters, retried and discarded in somebody's name.

The act is noted before it is done: what happens to another database's messages cannot be in the
transaction that says who did it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.db import outside
from core.dead_letters import DeadLetters
from core.errors import NotFound
from core.i18n import _
from core.scope import TENANT_ZERO
from tenants.models import TenantRecord


async def retry(session: AsyncSession, letters: DeadLetters, message: UUID) -> None:
    """Try a job again, with all its attempts.

    Raises:
        NotFound: no dead letter has that id.
    """
    await audit.record(session, "operator.job_retried", "job", message)
    if not await outside(session, lambda: letters.retry(message)):
        raise NotFound(_("There is no such dead letter"))


async def discard(session: AsyncSession, letters: DeadLetters, message: UUID) -> None:
    """Never do a job.

    Raises:
        NotFound: nothing waits with that id.
    """
    await audit.record(session, "operator.job_discarded", "job", message)
    if not await outside(session, lambda: letters.discard(message)):
        raise NotFound(_("There is no such dead letter"))


async def retry_all(
    session: AsyncSession, letters: DeadLetters, tenant: UUID | None, actor: str
) -> int:
    """Try every dead letter of a tenant (None: of all) and an actor (empty: any) again."""
    detail = {"tenant": tenant, "actor": actor}
    await audit.record(session, "operator.jobs_retried", "job", actor or "*", detail)
    return await outside(session, lambda: letters.retry_all(tenant=tenant, actor=actor))


async def discard_all(
    session: AsyncSession, letters: DeadLetters, tenant: UUID | None, actor: str
) -> int:
    """Never do any of them."""
    detail = {"tenant": tenant, "actor": actor}
    await audit.record(session, "operator.jobs_discarded", "job", actor or "*", detail)
    return await outside(session, lambda: letters.discard_all(tenant=tenant, actor=actor))


async def slugs(session: AsyncSession, tenants: Iterable[UUID]) -> Mapping[UUID, str]:
    """The subdomain of each tenant; tenant zero's is empty, one that is gone is left out."""
    rows = await session.execute(
        select(TenantRecord.id, TenantRecord.slug).where(TenantRecord.id.in_(set(tenants)))
    )
    return {TENANT_ZERO: ""} | {row.id: row.slug for row in rows}


async def named(session: AsyncSession, slug: str | None) -> UUID | None:
    """The tenant at ``slug``; None if none was named.

    Raises:
        NotFound: there is none.
    """
    if not slug:
        return None
    found = await session.scalar(select(TenantRecord.id).where(TenantRecord.slug == slug))
    if found is None:
        raise NotFound(_("There is no such tenant"))
    return found
