"""Letters to those who look after a business, when one of its names is in danger or lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import mail
from core.auth.models import User
from core.settings import Settings
from tenants.domains import names
from tenants.domains.models import TenantHost
from tenants.models import Membership, TenantRecord

_LOOK_AFTER: Final = ("owner", "admin")


async def wrong(
    session: AsyncSession, settings: Settings, domain: TenantHost, until: datetime
) -> None:
    """The records are wrong; ``until`` (aware) they can be mended."""
    await _write(session, settings, domain, "portal/mail/domain_wrong", until=until)


async def lapsed(session: AsyncSession, settings: Settings, domain: TenantHost) -> None:
    """The records were wrong for so long that the name is served no more."""
    await _write(session, settings, domain, "portal/mail/domain_lapsed")


async def lost(session: AsyncSession, settings: Settings, domain: TenantHost) -> None:
    """Another business has proved that the name is its own."""
    await _write(session, settings, domain, "portal/mail/domain_lost")


async def readers_of(session: AsyncSession, tenant_id: UUID) -> Sequence[Row[str, str, str | None]]:
    """Address, name and language of those who look after a business."""
    readers = await session.execute(
        select(User.email, User.name, User.locale)
        .join(Membership, Membership.account_id == User.id)
        .where(
            Membership.tenant_id == tenant_id,
            Membership.role.in_(_LOOK_AFTER),
            User.disabled_at.is_(None),
        )
    )
    return readers.all()


async def _write(
    session: AsyncSession, settings: Settings, domain: TenantHost, template: str, **more: Any
) -> None:
    tenant = await session.get_one(TenantRecord, domain.tenant_id)
    said = {
        "host": names.shown(domain.host),
        "business": tenant.name,
        "link": f"{settings.public_url}/businesses/{domain.tenant_id}/domains",
        **more,
    }
    for email, name, locale in await readers_of(session, domain.tenant_id):
        await mail.send(session, template, email, {**said, "name": name}, locale=locale)
