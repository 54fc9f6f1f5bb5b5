"""The list of tenants."""

from __future__ import annotations

from typing import Any

from litestar import Controller, get
from litestar.params import FromQuery

from core.auth.web import searched
from core.db import outside
from core.web.api import paged, place
from core.web.http import AnyRequest, Session
from core.web.pages import Page
from tenants.operator.permissions import looking
from tenants.operator.routes import parts
from tenants.operator.schemas import HOSTINGS, STATUSES, TenantSearch
from tenants.operator.services import tenants
from tenants.operator.services.tenants import TenantFilter

STATUS_COLORS = {
    "provisioning": "blue",
    "active": "green",
    "suspended": "red",
    "closed": "secondary",
    "deleting": "orange",
}
NAMES: dict[str, Any] = {"statuses": STATUSES, "colors": STATUS_COLORS, "hostings": HOSTINGS}


class Tenants(Controller):
    """``/operator/tenants``, and where operators begin."""

    path = parts.HOME
    include_in_schema = False

    @get(["/", "/tenants"], access=looking)
    async def show(
        self, request: AnyRequest, session: Session, cursor: FromQuery[str | None] = None
    ) -> Page:
        """Every tenant, or those searched for, newest first."""
        sizes = await outside(session, parts.sizes(request).all)
        form = searched(request, TenantSearch)
        found = await tenants.find(session, _filter(form.value), place(cursor))
        listed = paged(found, tenants.PAGE_SIZE, cursor, lambda seen: seen.record.id)
        context = {
            "form": form,
            "sizes": sizes,
            "counts": await tenants.count(session),
            "databases": [(name, name) for name in await tenants.databases(session)],
            "products": [(each.name, each.title) for each in parts.products(request)],
            "titles": {each.name: each.title for each in parts.products(request)},
        }
        return Page("operator/tenants.html", context | listed | NAMES, block="results")


def _filter(search: TenantSearch) -> TenantFilter:
    return TenantFilter(
        text=search.q or "",
        status=search.status or "",
        hosting=search.hosting or "",
        database=search.database or "",
        product=search.product or "",
    )
