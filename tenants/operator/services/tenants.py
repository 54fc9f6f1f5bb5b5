"""Tenants as operators see them: searched for, and one by one with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.models import User
from core.errors import NotFound
from core.permissions import Role
from tenants.domains.models import TenantHost
from tenants.models import (
    MAIN_DATABASE,
    DatabaseRecord,
    Membership,
    ProvisioningRun,
    TenantPlugin,
    TenantRecord,
)

PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFilter:
    """Which tenants to show; what is empty asks for all. ``text`` is sought in name, address,
    hosts and the owners' e-mail addresses; ``product`` is one that is enabled."""

    text: str = ""
    status: str = ""
    hosting: str = ""
    database: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The latest run of a tenant; ``state`` is waiting, running, failed or done."""

    id: UUID
    state: str
    error: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A tenant with what belongs to it. ``products`` has the state of each ever chosen;
    ``hosts`` says of each whether it is verified; ``owners`` are accounts of the portal."""

    record: TenantRecord
    products: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, bool] = field(default_factory=dict)
    owners: Sequence[str] = ()
    run: Run | None = None

    @property
    def database(self) -> str:
        """Where it lives, the main database by its name."""
        return self.record.database or MAIN_DATABASE


async def find(
    session: AsyncSession, wanted: TenantFilter, before: UUID | None = None, limit: int = PAGE_SIZE
) -> Sequence[Seen]:
    """The newest tenants first, up to ``limit`` and one more if there are more."""
    query = select(TenantRecord).where(*_conditions(wanted)).order_by(TenantRecord.id.desc())
    if before is not None:
        query = query.where(TenantRecord.id < before)
    return await _seen(session, (await session.scalars(query.limit(limit + 1))).all())


async def count(session: AsyncSession) -> Mapping[str, int]:
    """How many tenants have each status."""
    rows = await session.execute(
        select(TenantRecord.status, func.count().label("tenants")).group_by(TenantRecord.status)
    )
    return {row.status: row.tenants for row in rows}


async def one(session: AsyncSession, tenant_id: UUID, *, locked: bool = False) -> Seen:
    """One tenant; ``locked``, nobody else changes it until this transaction ends.

    Raises:
        NotFound: there is none.
    """
    record = await session.get(
        TenantRecord, tenant_id, with_for_update=locked or None, populate_existing=True
    )
    if record is None:
        raise NotFound
    return (await _seen(session, [record]))[0]


async def by_slug(session: AsyncSession, slug: str) -> Seen:
    """The tenant that lives at ``slug`` now.

    Raises:
        NotFound: there is none.
    """
    found = await session.scalar(select(TenantRecord.id).where(TenantRecord.slug == slug))
    if found is None:
        raise NotFound
    return await one(session, found)


async def runs(session: AsyncSession, tenant_id: UUID, limit: int = 10) -> Sequence[UUID]:
    """The latest runs of a tenant, newest first."""
    query = select(ProvisioningRun.id).where(ProvisioningRun.tenant_id == tenant_id)
    return (await session.scalars(query.order_by(ProvisioningRun.id.desc()).limit(limit))).all()


async def databases(session: AsyncSession) -> Sequence[str]:
    """The names of all databases, the main one first."""
    names = await session.scalars(select(DatabaseRecord.name).order_by(DatabaseRecord.name))
    return [MAIN_DATABASE, *names]


def _conditions(wanted: TenantFilter) -> Iterable[ColumnElement[bool]]:
    if wanted.text:
        yield _mentions(wanted.text.casefold())
    if wanted.status:
        yield TenantRecord.status == wanted.status
    if wanted.hosting:
        yield TenantRecord.hosting == wanted.hosting
    if wanted.database == MAIN_DATABASE:
        yield TenantRecord.database.is_(None)
    elif wanted.database:
        yield TenantRecord.database == wanted.database
    if wanted.product:
        yield exists().where(
            TenantPlugin.tenant_id == TenantRecord.id,
            TenantPlugin.plugin == wanted.product,
            TenantPlugin.state == "enabled",
        )


def _mentions(folded: str) -> ColumnElement[bool]:
    owner = (
        exists()
        .where(Membership.tenant_id == TenantRecord.id, Membership.role == Role.OWNER.value)
        .where(User.id == Membership.account_id, User.email.contains(folded, autoescape=True))
    )
    host = exists().where(
        TenantHost.tenant_id == TenantRecord.id,
        TenantHost.host.contains(folded, autoescape=True),
    )
    return or_(
        func.lower(TenantRecord.name).contains(folded, autoescape=True),
        TenantRecord.slug.contains(folded, autoescape=True),
        host,
        owner,
    )


async def _seen(session: AsyncSession, records: Sequence[TenantRecord]) -> list[Seen]:
    ids = [record.id for record in records]
    products: dict[UUID, dict[str, str]] = {}
    chosen = select(TenantPlugin).where(TenantPlugin.tenant_id.in_(ids))
    for each in await session.scalars(chosen.order_by(TenantPlugin.plugin)):
        products.setdefault(each.tenant_id, {})[each.plugin] = each.state
    hosts: dict[UUID, dict[str, bool]] = {}
    named = select(TenantHost).where(TenantHost.tenant_id.in_(ids)).order_by(TenantHost.host)
    for host in await session.scalars(named):
        hosts.setdefault(host.tenant_id, {})[host.host] = host.verified_at is not None
    owners, latest = await _owners(session, ids), await _latest_runs(session, ids)
    return [
        Seen(
            record=record,
            products=products.get(record.id, {}),
            hosts=hosts.get(record.id, {}),
            owners=owners.get(record.id, ()),
            run=latest.get(record.id),
        )
        for record in records
    ]


async def _owners(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    owners: dict[UUID, list[str]] = {}
    rows = await session.execute(
        select(Membership.tenant_id, User.email)
        .join(User, User.id == Membership.account_id)
        .where(Membership.tenant_id.in_(ids), Membership.role == Role.OWNER.value)
        .order_by(User.email)
    )
    for tenant_id, email in rows:
        owners.setdefault(tenant_id, []).append(email)
    return owners


async def _latest_runs(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Run]:
    rows = await session.scalars(
        select(ProvisioningRun)
        .where(ProvisioningRun.tenant_id.in_(ids))
        .ext(distinct_on(ProvisioningRun.tenant_id))
        .order_by(ProvisioningRun.tenant_id, ProvisioningRun.id.desc())
    )
    return {
        run.tenant_id: Run(
            id=run.id,
            state=run.state,
            error=run.error,
            created_at=run.created_at,
            finished_at=run.finished_at,
        )
        for run in rows
    }
