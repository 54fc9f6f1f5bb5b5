"""How the migrations stand: as the last run of each line in each tenant left them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.models import MigrationStatus, TenantRecord

SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Line:
    """In how many scopes one line has one state; ``target`` is the newest revision sought."""

    line: str
    target: str
    state: str
    scopes: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A line that stopped in one scope; ``slug`` is None for tenant zero."""

    tenant_id: UUID
    slug: str | None
    status: MigrationStatus


async def of(session: AsyncSession, tenant_id: UUID) -> Sequence[MigrationStatus]:
    """The lines of one tenant."""
    query = select(MigrationStatus).where(MigrationStatus.tenant_id == tenant_id)
    return (await session.scalars(query.order_by(MigrationStatus.line))).all()


async def lines(session: AsyncSession) -> Sequence[Line]:
    """Every line with its states, over all scopes."""
    status = MigrationStatus
    rows = await session.execute(
        select(status.line, status.target, status.state, func.count())
        .group_by(status.line, status.target, status.state)
        .order_by(status.line, status.target.desc(), status.state)
    )
    return [Line(*row) for row in rows]


async def failed(session: AsyncSession) -> Sequence[Failed]:
    """What failed last, the latest first."""
    rows = await session.execute(
        select(MigrationStatus, TenantRecord.slug)
        .outerjoin(TenantRecord, TenantRecord.id == MigrationStatus.tenant_id)
        .where(MigrationStatus.state == "failed")
        .order_by(MigrationStatus.changed_at.desc(), MigrationStatus.tenant_id)
        .limit(SHOWN)
    )
    return [Failed(status.tenant_id, slug, status) for status, slug in rows]
