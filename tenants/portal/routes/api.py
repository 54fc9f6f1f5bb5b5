"""The same for programs: order a business, look whether an address is free, follow, list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody, PathParameter

from core.errors import Invalid
from core.i18n import _, locale
from core.permissions import member, public
from core.web.api import Listing
from core.web.http import AnyRequest, Session
from tenants import lifecycle, slugs
from tenants.portal.routes import parts
from tenants.portal.schemas import NewBusiness
from tenants.portal.services import businesses, progress, sign_up
from tenants.portal.services.businesses import Business
from tenants.portal.services.sign_up import Account, Wanted
from tenants.runs import progress as progress_of


class BusinessOut(msgspec.Struct, frozen=True, kw_only=True):
    """A business of the account that calls."""

    id: UUID
    slug: str
    name: str
    url: str
    status: str
    hosting: str
    wants_dedicated: bool
    zone: str
    currency: str
    country: str | None
    locale: str
    role: str
    products: dict[str, str]
    created_at: datetime


class AddressOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an address is free; if not, why, and some that are."""

    slug: str
    available: bool
    reason: str | None
    suggestions: Sequence[str]


class StepOut(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the making; ``state`` is waiting, running, failed or done."""

    name: str
    title: str
    state: str


class ProgressOut(msgspec.Struct, frozen=True, kw_only=True):
    """How far the making has come; ``share`` from 0 to 1."""

    state: str
    share: float
    steps: Sequence[StepOut]


class BusinessesApi(Controller):
    """Businesses of the account that calls."""

    path = "/api/v1"
    tags = ("Businesses",)

    @get("/businesses", access=member)
    async def mine(self, request: AnyRequest, session: Session) -> Listing[BusinessOut]:
        """Every business that the account is a member of, the newest first."""
        found = await businesses.mine(session, parts.member().user_id)
        return Listing(items=[_out(request, business) for business in found])

    @post("/businesses", access=member, idempotent=True)
    async def order(
        self, request: AnyRequest, session: Session, data: JSONBody[NewBusiness]
    ) -> BusinessOut:
        """Order a business for the account; follow its progress until it is active."""
        if set(data.products) - set(parts.products(request).working):
            raise Invalid(_("Choose from the installed products."), field="products")
        person = parts.member()
        made = await sign_up.submit(
            session,
            parts.authority(request),
            Wanted(
                name=" ".join(data.name.split()),
                slug=data.slug,
                zone=data.zone,
                currency=data.currency,
                country=data.country,
                products=tuple(sorted(set(data.products))),
                hosting=data.hosting,
                locale=locale(),
            ),
            Account(id=person.user_id, name=person.name, email=person.email),
        )
        return _out(request, await businesses.one(session, person.user_id, made.ordered.tenant_id))

    @get("/businesses/{business_id:uuid}", access=member)
    async def one(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> BusinessOut:
        """One business of the account."""
        found = await businesses.one(session, parts.member().user_id, business_id)
        return _out(request, found)

    @get("/businesses/{business_id:uuid}/progress", access=member)
    async def progress(
        self, request: AnyRequest, session: Session, business_id: FromPath[UUID]
    ) -> ProgressOut:
        """How far its latest making has come."""
        business = await businesses.one(session, parts.member().user_id, business_id)
        if business.run is None:
            return ProgressOut(state="done", share=1.0, steps=())
        run = await progress_of(session, business.run.id)
        products = parts.products(request)
        steps = [
            StepOut(name=step.name, title=str(progress.title(step, products)), state=step.state)
            for step in run.steps
        ]
        return ProgressOut(state=run.state, share=run.share, steps=steps)

    @get("/addresses/{slug:str}", access=public)
    async def address(
        self,
        session: Session,
        slug: Annotated[str, PathParameter(max_length=200, description="The subdomain data.")],
    ) -> AddressOut:
        """Whether a subdomain is free now; only ordering it decides."""
        reason: str | None = None
        try:
            slugs.check(slug)
        except Invalid as problem:
            reason = str(problem.message)
        else:
            if not await lifecycle.is_available(session, slug):
                reason = str(lifecycle.SlugTaken.title)
        near = await lifecycle.suggest(session, slug) if reason else []
        return AddressOut(slug=slug, available=reason is None, reason=reason, suggestions=near)


def _out(request: AnyRequest, business: Business) -> BusinessOut:
    return BusinessOut(
        id=business.id,
        slug=business.slug,
        name=business.name,
        url=parts.url_of(request, business),
        status=business.status,
        hosting=business.hosting,
        wants_dedicated=business.wants_dedicated,
        zone=business.zone,
        currency=business.currency,
        country=business.country,
        locale=business.locale,
        role=business.role.value,
        products=dict(business.products),
        created_at=business.created_at,
    )
