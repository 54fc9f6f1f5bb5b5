"""A business's own domains in the portal: claimed, checked, preferred, removed."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Conflict, DomainError
from core.i18n import _, fill
from core.permissions import member
from core.web.formatting import moment, on_the_clock_of
from core.web.forms import Bound, blank, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants.domains import names, resolver, services, views
from tenants.domains.checking import GRACE, Inspector
from tenants.domains.records import State
from tenants.domains.views import DomainView, Status
from tenants.portal.routes import access, parts
from tenants.portal.schemas import NewDomain
from tenants.portal.services.businesses import Business

STATUS_NAMES: Final = {
    Status.WAITING: _("Waiting for its records"),
    Status.TAKEN: _("Another business has it"),
    Status.WORKING: _("Works"),
    Status.FAILING: _("Its records are wrong"),
}
STATE_NAMES: Final = {
    State.RIGHT: _("Found, and right"),
    State.MISSING: _("Not found yet"),
    State.DIFFERENT: _("Found, but different"),
    State.UNKNOWN: _("DNS did not answer"),
}


async def administered(
    request: AnyRequest, session: Session, business_id: FromPath[UUID]
) -> Business:
    """A business whose domains the member may see and change now.

    Raises:
        NotFound, Forbidden, Conflict
    """
    business = await access.administered(request, session, business_id)
    if business.is_being_made or business.status == "deleting":
        raise Conflict(_("Domains can be added once the business is open"))
    return business


ADMINISTERED: Final = {"business": Provide(administered)}


class Domains(Controller):
    """Pages of those who administer the business; to strangers it does not exist."""

    path = "/businesses/{business_id:uuid}/domains"
    include_in_schema = False
    dependencies = ADMINISTERED

    @get("/", access=member)
    async def show(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Page:
        """Every domain with the records to make and what is there."""
        return await _page(request, session, business)

    @post("/", access=member, status_code=200)
    async def add(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Response[Any]:
        """Claim a name; then its records are to be made."""
        form = await posted(request, NewDomain)
        try:
            await services.claim(session, parts.settings(request), business.id, form.value.host)
        except DomainError as problem:
            return await _page(request, session, business, form.refuse(problem))
        return _back(business, _("Now make the records below at whoever runs your DNS."))

    @post("/{domain_id:uuid}/check", access=member, status_code=200)
    async def check(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        domain_id: FromPath[UUID],
    ) -> SeeOther:
        """Look at its records now."""
        await services.one(session, business.id, domain_id)
        await inspector(request).ask(session, business.id, domain_id)
        domain = await services.one(session, business.id, domain_id)
        title = names.shown(domain.host)
        if domain.verified_at is not None and domain.wrong_since is None:
            return _back(business, fill(_("{domain} works."), domain=title))
        text = fill(_("{domain} is not ready yet: see what was found."), domain=title)
        return _back(business, text, "warning")

    @post("/{domain_id:uuid}/prefer", access=member, status_code=200)
    async def prefer(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        domain_id: FromPath[UUID],
    ) -> SeeOther:
        """Make it the main address."""
        preferred = await services.prefer(session, parts.signals(request), business.id, domain_id)
        title = names.shown(preferred.host)
        return _back(business, fill(_("{domain} is the main address now."), domain=title))

    @post("/prefer-none", access=member, status_code=200)
    async def prefer_none(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> SeeOther:
        """Make the subdomain the main address again."""
        await services.prefer_none(session, parts.signals(request), business.id)
        return _back(business, _("The subdomain is the main address again."))

    @post("/{domain_id:uuid}/remove", access=member, status_code=200)
    async def remove(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        domain_id: FromPath[UUID],
    ) -> SeeOther:
        """Give it up."""
        gone = await services.remove(session, parts.signals(request), business.id, domain_id)
        return _back(business, fill(_("{domain} is removed."), domain=names.shown(gone.host)))


def inspector(request: AnyRequest) -> Inspector:
    """Looks at DNS for this request."""
    return Inspector(
        settings=parts.settings(request),
        signals=parts.signals(request),
        resolver=resolver.installed(),
    )


def _back(business: Business, text: Any, level: str = "success") -> SeeOther:
    return SeeOther(f"{access.path_of(business)}/domains", flash=text, level=level)


async def _page(
    request: AnyRequest,
    session: AsyncSession,
    business: Business,
    refused: Bound[NewDomain] | None = None,
) -> Page:
    settings = parts.settings(request)
    found = await views.every(session, settings, business.slug, business.id)
    return Page(
        "portal/domains/show.html",
        {
            "business": business,
            "form": refused or blank(NewDomain, {}),
            "domains": found,
            "has_primary": any(each.is_primary for each in found),
            "subdomain": settings.tenant_url(business.slug, "").partition("://")[2],
            "statuses": STATUS_NAMES,
            "states": STATE_NAMES,
            "grace_days": GRACE.days,
            "moments": _moments(business, found),
            **access.standing(business),
        },
        status=422 if refused is not None else 200,
    )


def _moments(business: Business, domains: list[DomainView]) -> dict[UUID, dict[str, str | None]]:
    """When each was looked at, and when it would be given up, by the business's clocks."""
    with on_the_clock_of(business.zone):
        return {
            each.id: {
                "checked": moment(each.checked_at) if each.checked_at else None,
                "lapses": moment(each.lapses_at) if each.lapses_at else None,
            }
            for each in domains
        }
