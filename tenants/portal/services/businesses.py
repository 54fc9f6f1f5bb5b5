"""The businesses of an account: which they are, and what their owners change about them.

Whoever is no member of a business gets the answer that it does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.audit import services as audit
from core.errors import Conflict, Forbidden, NotFound
from core.i18n import _
from core.jobs import put
from core.permissions import Role
from core.plugin import Plugins
from core.scope import Maintenance
from core.signals import Signals
from tenants import lifecycle
from tenants.catalogue import maintenance_of
from tenants.changes import announce
from tenants.domains.models import TenantHost
from tenants.models import (
    DedicatedRequest,
    Membership,
    ProvisioningRun,
    TenantPlugin,
    TenantRecord,
)

_ADMINISTER: Final = frozenset({Role.OWNER, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The latest making of a business, or of what a further product needs."""

    id: UUID
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """A business as one of its members sees it in the portal.

    ``user_id`` is the member among its people; ``products`` has the state of each ever chosen;
    ``before`` is how it looked before the last change of look; ``host`` is its main address, if
    that is a domain of its own.
    """

    id: UUID
    slug: str
    host: str | None
    name: str
    status: str
    hosting: str
    zone: str
    currency: str
    locale: str
    country: str | None
    color: str | None
    logo: str | None
    before: Mapping[str, str | None] | None
    created_at: datetime
    role: Role
    user_id: UUID
    products: Mapping[str, str]
    run: Run | None
    wants_dedicated: bool
    suspended_at: datetime | None
    suspended_reason: str
    maintenance: Maintenance | None
    is_muted: bool
    delete_after: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it can be entered now."""
        return self.status == "active"

    @property
    def is_being_made(self) -> bool:
        """Whether it has not been served yet."""
        return self.status == "provisioning"

    @property
    def is_mine(self) -> bool:
        """Whether this member owns it."""
        return self.role is Role.OWNER

    @property
    def may_administer(self) -> bool:
        """Whether this member may change it."""
        return self.role in _ADMINISTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What an owner says about a business."""

    name: str
    zone: str
    locale: str


def _query(account_id: UUID) -> Select[*tuple[Any, ...]]:
    products = (
        select(func.jsonb_object_agg(TenantPlugin.plugin, TenantPlugin.state))
        .where(TenantPlugin.tenant_id == TenantRecord.id)
        .scalar_subquery()
    )
    run = aliased(ProvisioningRun)
    latest = (
        select(run.id)
        .where(run.tenant_id == TenantRecord.id)
        .order_by(run.id.desc())
        .limit(1)
        .correlate(TenantRecord)
        .scalar_subquery()
    )
    return (
        select(
            TenantRecord,
            Membership.role,
            Membership.user_id,
            products.label("products"),
            ProvisioningRun.id.label("run_id"),
            ProvisioningRun.state.label("run_state"),
            select(TenantHost.host)
            .where(TenantHost.tenant_id == TenantRecord.id, TenantHost.is_primary)
            .scalar_subquery()
            .label("host"),
            exists()
            .where(
                and_(
                    DedicatedRequest.tenant_id == TenantRecord.id,
                    DedicatedRequest.state == "open",
                )
            )
            .label("wants_dedicated"),
        )
        .join(Membership, Membership.tenant_id == TenantRecord.id)
        .outerjoin(ProvisioningRun, ProvisioningRun.id == latest)
        .where(Membership.account_id == account_id)
        .order_by(TenantRecord.created_at.desc())
    )  # fmt: skip


def _business(row: Row[*tuple[Any, ...]]) -> Business:
    tenant: TenantRecord = row[0]
    return Business(
        id=tenant.id,
        slug=tenant.slug,
        host=row.host,
        name=tenant.name,
        status=tenant.status,
        hosting=tenant.hosting,
        zone=tenant.zone,
        currency=tenant.currency,
        locale=tenant.locale,
        country=tenant.country,
        color=tenant.color,
        logo=tenant.logo,
        before=tenant.brand_before,
        created_at=tenant.created_at,
        role=Role(row.role),
        user_id=row.user_id,
        products=row.products or {},
        run=Run(id=row.run_id, state=row.run_state) if row.run_id else None,
        wants_dedicated=row.wants_dedicated,
        suspended_at=tenant.suspended_at,
        suspended_reason=tenant.suspended_reason or "",
        maintenance=maintenance_of(tenant),
        is_muted=tenant.muted,
        delete_after=tenant.delete_after,
    )


async def mine(session: AsyncSession, account_id: UUID) -> list[Business]:
    """Every business that the account is a member of, the newest first."""
    return [_business(row) for row in await session.execute(_query(account_id))]


async def role_of(session: AsyncSession, account_id: UUID, tenant_id: UUID) -> Role | None:
    """What the account is to the business now; None if nothing: for streams, which ask again."""
    found = await session.scalar(
        select(Membership.role).where(
            Membership.account_id == account_id, Membership.tenant_id == tenant_id
        )
    )
    return Role(found) if found else None


async def one(session: AsyncSession, account_id: UUID, tenant_id: UUID) -> Business:
    """One of the account's businesses.

    Raises:
        NotFound: it is none of theirs, or it does not exist.
    """
    rows = await session.execute(_query(account_id).where(TenantRecord.id == tenant_id))
    row = rows.one_or_none()
    if row is None:
        raise NotFound
    return _business(row)


async def change(
    session: AsyncSession, signals: Signals, business: Business, changes: Changes
) -> None:
    """Change name, zone or language; served so from the next request on."""
    insist_may_administer(business)
    tenant = await session.get_one(TenantRecord, business.id, with_for_update=True)
    wanted = {
        "name": " ".join(changes.name.split()),
        "zone": changes.zone,
        "locale": changes.locale,
    }
    changed = {name: value for name, value in wanted.items() if getattr(tenant, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(tenant, name, value)
    await session.flush()
    announce(session, signals, business.id)
    await audit.record(session, "portal.business_changed", "tenant", business.id, changed)


async def enable(
    session: AsyncSession, signals: Signals, business: Business, products: Plugins, name: str
) -> UUID | None:
    """Give the business a product: at once, or by the run whose id is given.

    Raises:
        NotFound: no such product is installed.
    """
    insist_may_administer(business)
    if name not in products.working:
        raise NotFound
    if not business.is_open:
        raise Conflict(_("Products can be changed once the business is open"))
    run_id = await lifecycle.enable_plugin(session, signals, business.id, name)
    await audit.record(
        session, "portal.product_enabled", "tenant", business.id, {"product": name}
    )  # fmt: skip
    return run_id


async def disable(session: AsyncSession, signals: Signals, business: Business, name: str) -> None:
    """Take a product away from the business; what was entered into it is kept."""
    insist_may_administer(business)
    await lifecycle.disable_plugin(session, signals, business.id, name)
    await audit.record(
        session, "portal.product_disabled", "tenant", business.id, {"product": name}
    )  # fmt: skip


async def ask_for_dedicated(session: AsyncSession, business: Business, account_id: UUID) -> None:
    """Keep the wish for a database of its own, once."""
    insist_may_administer(business)
    await session.get_one(TenantRecord, business.id, with_for_update=True)
    if business.wants_dedicated or business.hosting == "dedicated":
        return
    await lifecycle.request_dedicated(session, business.id, account_id)
    await audit.record(session, "portal.dedicated_requested", "tenant", business.id)


async def retry(session: AsyncSession, business: Business) -> None:
    """Have a failed run taken up again now, where it stopped; a second click changes nothing."""
    if business.run is None:
        return
    run = await session.get_one(ProvisioningRun, business.run.id, with_for_update=True)
    if run.state != "failed":
        return
    run.state, run.error = "waiting", None
    await session.flush()
    job = lifecycle.FILL if run.source else lifecycle.PROVISION
    await put(session, job, {"run_id": run.id})
    await audit.record(session, "portal.provisioning_retried", "tenant", business.id)


async def note_opened(session: AsyncSession, business: Business) -> None:
    """Note that somebody goes there; it must be open.

    Raises:
        Conflict: it is not.
    """
    if not business.is_open:
        raise Conflict(_("This business is not open yet"))
    await audit.record(session, "portal.business_opened", "tenant", business.id)


def insist_may_administer(business: Business) -> None:
    """Insist that the member is an owner or an admin.

    Raises:
        Forbidden: they are not.
    """
    if not business.may_administer:
        raise Forbidden(_("Only owners and admins of the business may change this"))
