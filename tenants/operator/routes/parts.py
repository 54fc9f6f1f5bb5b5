"""What the console's routes share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from core.errors import Invalid
from core.i18n import _
from core.scope import Tenant
from core.web.api import Cursor, page_of
from tenants.operator.services.sizes import Sizes
from tenants.portal.routes.parts import (
    AnyRequest,
    authority,
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
    "databases",
    "directory",
    "paged",
    "place",
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


def place(cursor: str | None) -> UUID | None:
    """The id after which a page begins.

    Raises:
        Invalid: the cursor was not made by us.
    """
    after = Cursor.read(cursor).after
    if not after:
        return None
    try:
        return UUID(after[0])
    except ValueError:
        raise Invalid(_("Use the cursor exactly as it was given."), field="cursor") from None


def paged(
    rows: Sequence[T], size: int, cursor: str | None, id_of: Callable[[T], UUID]
) -> dict[str, Any]:
    """What a list and its pager show, of ``rows`` that were asked for with ``size + 1``."""
    page, following = page_of(rows, size, lambda row: (str(id_of(row)),))
    return {"rows": page, "next": following, "first": cursor is not None}
