"""The end of a business in the portal: closing it, and bringing it back while that can be done."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response, post
from litestar.di import NamedDependency

from core.errors import DomainError
from core.i18n import _
from core.permissions import member
from core.web.forms import posted
from core.web.http import AnyRequest, Session
from core.web.pages import SeeOther
from tenants.lifecycle import closing
from tenants.portal.routes import access, parts
from tenants.portal.routes.upkeep_page import insist_confirmed, path_of, refused_page
from tenants.portal.schemas import Confirmed
from tenants.portal.services.businesses import Business


class Closing(Controller):
    """For owners alone."""

    path = "/businesses/{business_id:uuid}/upkeep"
    include_in_schema = False
    dependencies = access.OWNED

    @post("/closing", access=member, status_code=200, before_terms=True)
    async def close(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Response[Any]:
        """Close the business; it can be brought back until it is deleted."""
        form = await posted(request, Confirmed)
        form.id = "closing"
        try:
            insist_confirmed(business, form.value.confirm)
            await closing.close(
                session, parts.signals(request), parts.settings(request), business.id
            )
        except DomainError as problem:
            return await refused_page(request, session, business, form, problem)
        return SeeOther(path_of(business), flash=_("The business is closed."))

    @post("/closing/undo", access=member, status_code=200, before_terms=True)
    async def reopen(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> SeeOther:
        """Bring it back."""
        signals, settings = parts.signals(request), parts.settings(request)
        await closing.reopen(session, signals, settings, business.id)
        return SeeOther(path_of(business), flash=_("The business is back. Nothing was lost."))
