"""How much of what it may have a business uses."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from litestar import Controller, get
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.permissions import member
from core.quotas.services import Usage as Used
from core.web.http import AnyRequest, Session
from core.web.pages import Page
from tenants import limits
from tenants.portal.routes import access, parts
from tenants.portal.services.businesses import Business


class Usage(Controller):
    """``/businesses/…/usage``."""

    path = "/businesses/{business_id:uuid}/usage"
    include_in_schema = False

    @get(access=member)
    async def show(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> Page:
        """A bar for each limit."""
        business = await access.administered(request, session, business_id)
        context = {"business": business, "usage": await used_by(request, session, business)}
        return Page("portal/businesses/usage.html", context)


async def used_by(request: AnyRequest, session: AsyncSession, business: Business) -> Sequence[Used]:
    """What a business uses of what is limited for it; nothing while it cannot be asked."""
    tenant = await parts.directory(request).by_id(business.id)
    if tenant is None or tenant.status not in {"active", "suspended"}:
        return []
    known = limits.declared(request.app.state["plugins"], parts.products(request))
    mine = [
        each for name, each in known.items() if name.partition(".")[0] in {"core", *tenant.plugins}
    ]
    return await parts.crossing(request).usage_of(session, tenant, mine)
