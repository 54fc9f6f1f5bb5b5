"""What the console's routes share."""

from __future__ import annotations

from typing import Final, TypeVar
from uuid import UUID

from core.scope import Tenant
from core.web.http import AnyRequest
from tenants.operator.services.sizes import Sizes
from tenants.portal.routes.parts import (
    authority,
    crossing,
    databases,
    directory,
    products,
    settings,
    signals,
)
from tenants.roster import Roster

__all__ = [
    "AnyRequest",
    "authority",
    "crossing",
    "databases",
    "directory",
    "products",
    "roster",
    "settings",
    "signals",
    "sizes",
]

HOME: Final = "/operator"
T = TypeVar("T")


def roster(request: AnyRequest) -> Roster:
    """Where everybody is."""
    return Roster(settings(request), databases(request))


def sizes(request: AnyRequest) -> Sizes:
    """What tenants store, as this process last counted it."""
    state = request.app.state
    if "sizes" not in state:
        state["sizes"] = Sizes(roster(request))
    found: Sizes = state["sizes"]
    return found


async def tenant_of(request: AnyRequest, tenant_id: UUID) -> Tenant | None:
    """A tenant as it is served."""
    return await directory(request).by_id(tenant_id)
