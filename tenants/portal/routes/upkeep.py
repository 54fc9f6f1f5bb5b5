"""A business's upkeep in the portal: maintenance, and the address at which it lives."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from core.errors import DomainError, Invalid
from core.i18n import _, fill
from core.permissions import member
from core.web.formatting import on_the_clock_of
from core.web.forms import posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants.lifecycle import naming, serving
from tenants.portal.routes import access, parts
from tenants.portal.routes.upkeep_page import (
    insist_confirmed,
    path_of,
    refused_page,
    upkeep_page,
)
from tenants.portal.schemas import MaintenancePlan, NewAddress
from tenants.portal.services.businesses import Business


class Upkeep(Controller):
    """What its owners, and for maintenance its admins, do with a business as a whole."""

    path = "/businesses/{business_id:uuid}/upkeep"
    include_in_schema = False

    @get("/", access=member, dependencies=access.ADMINISTERED)
    async def show(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Page:
        """Everything that can be done, each with what follows from it."""
        return await upkeep_page(request, session, business)

    @post("/maintenance", access=member, dependencies=access.ADMINISTERED, status_code=200)
    async def begin_maintenance(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Response[Any]:
        """Let customers wait, or say anew why and until when."""
        with on_the_clock_of(business.zone):
            form = await posted(request, MaintenancePlan)
        form.id = "maintenance"
        try:
            plan = form.value
            await serving.begin_maintenance(
                session, parts.signals(request), business.id, plan.message or "", plan.until
            )
        except Invalid as problem:
            return await refused_page(request, session, business, form, problem)
        return SeeOther(path_of(business), flash=_("Customers now see that you are at work."))

    @post("/maintenance/end", access=member, dependencies=access.ADMINISTERED, status_code=200)
    async def end_maintenance(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> SeeOther:
        """Let customers in again."""
        await serving.end_maintenance(session, parts.signals(request), business.id)
        return SeeOther(path_of(business), flash=_("Customers are welcome again."))

    @post("/address", access=member, dependencies=access.OWNED, status_code=200)
    async def rename(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Response[Any]:
        """Move to another subdomain."""
        form = await posted(request, NewAddress)
        form.id = "address"
        try:
            wanted = form.value
            insist_confirmed(business, wanted.confirm)
            await naming.rename(session, parts.signals(request), business.id, wanted.slug)
        except DomainError as problem:
            return await refused_page(request, session, business, form, problem)
        host = parts.settings(request).tenant_url(wanted.slug, "").partition("://")[2]
        text = fill(_("The business now lives at {address}."), address=host)
        return SeeOther(path_of(business), flash=text)
