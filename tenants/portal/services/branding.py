"""How a business looks: its colour and its logo, and the way back from the last change."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Self

from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.scope import Brand
from core.signals import Signals
from tenants.changes import announce
from tenants.models import TenantRecord
from tenants.portal.services.businesses import Business, insist_may_administer


@dataclass(frozen=True, slots=True)
class Look:
    """A colour ``#rrggbb`` (None: ours) and the address of a logo, or None."""

    color: str | None
    logo: str | None

    @classmethod
    def of(cls, worn: Business | TenantRecord) -> Self:
        """What is worn now."""
        return cls(worn.color, worn.logo)

    @property
    def brand(self) -> Brand:
        """The same as pages wear it."""
        return Brand(color=self.color or Brand().color, logo=self.logo)


async def change(
    session: AsyncSession, signals: Signals, business: Business, color: str, logo: str | None
) -> None:
    """Wear ``color``, and ``logo`` if there is a new one; served so from the next request on."""
    tenant = await _locked(session, business)
    await _wear(session, signals, tenant, Look(color.lower(), logo or tenant.logo))


async def remove_logo(session: AsyncSession, signals: Signals, business: Business) -> None:
    """Show the first letter of the name instead."""
    tenant = await _locked(session, business)
    await _wear(session, signals, tenant, Look(tenant.color, None))


async def put_back(session: AsyncSession, signals: Signals, business: Business) -> None:
    """Look as before the last change; done twice, it is the last change again."""
    tenant = await _locked(session, business)
    if tenant.brand_before is not None:
        await _wear(session, signals, tenant, Look(**tenant.brand_before))


async def _locked(session: AsyncSession, business: Business) -> TenantRecord:
    insist_may_administer(business)
    return await session.get_one(
        TenantRecord, business.id, with_for_update=True, populate_existing=True
    )


async def _wear(
    session: AsyncSession, signals: Signals, tenant: TenantRecord, wanted: Look
) -> None:
    worn = Look.of(tenant)
    if wanted == worn:
        return
    tenant.color, tenant.logo = wanted.color, wanted.logo
    tenant.brand_before = asdict(worn)
    await session.flush()
    announce(session, signals, tenant.id)
    await audit.record(
        session, "portal.look_changed", "tenant", tenant.id, asdict(wanted) | {"was": asdict(worn)}
    )
