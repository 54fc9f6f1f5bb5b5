"""What stands on top of every document of a business: its name, colour and logo."""

from __future__ import annotations

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core.colors import readable_on_white
from core.logos.models import Logo
from core.logos.services import ADDRESS
from core.scope import Tenant


class Letterhead(msgspec.Struct, frozen=True, kw_only=True):
    """As ``Sheet`` wants it: ``color`` is dark enough to be read on paper, ``logo`` PNG or JPEG."""

    business: str
    color: str
    logo: bytes = b""


async def letterhead(session: AsyncSession) -> Letterhead:
    """The letterhead of the tenant that is being served."""
    tenant: Tenant = session.info["tenant"]
    shown = tenant.brand.logo or ""
    logo = await session.get(Logo, shown.removeprefix(ADDRESS)) if shown else None
    return Letterhead(
        business=tenant.name,
        color=readable_on_white(tenant.brand.color),
        logo=logo.body if logo else b"",
    )
