"""How a business looks: colour and logo, seen before they are worn."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import outside
from core.errors import Conflict, Invalid
from core.i18n import LazyText, _
from core.logos import pictures
from core.logos.pictures import Picture
from core.permissions import member
from core.scope import Brand
from core.web.brand import style_sheet
from core.web.forms import Bound, blank
from core.web.forms.files import posted_with_file
from core.web.headers import Csp
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants.portal.routes import access, parts
from tenants.portal.schemas import Branding as BrandingForm
from tenants.portal.services import branding
from tenants.portal.services.branding import Look
from tenants.portal.services.businesses import Business, insist_may_administer

LARGEST_UPLOAD: Final = 2_000_000
"""Bytes of the whole form; the file is nearly all of it."""
_TOO_LARGE: Final = _("This file is larger than 2 MB; save the logo smaller and choose it again.")
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_PREVIEW: Final = ".po-preview[data-bs-theme]"
_LIGHT_PREVIEW: Final = '.po-preview[data-bs-theme="light"]'


async def administered(
    request: AnyRequest, session: Session, business_id: FromPath[UUID]
) -> Business:
    """A business whose look the member may change now."""
    business = await access.administered(request, session, business_id)
    insist_may_administer(business)
    if not business.is_open:
        raise Conflict(_("The look can be changed once the business is open"))
    return business


class Branding(Controller):
    """Pages of those who administer the business; to strangers it does not exist."""

    path = "/businesses/{business_id:uuid}/branding"
    include_in_schema = False
    dependencies = {"business": Provide(administered)}  # noqa: RUF012  # Litestar's own way

    @get("/", access=member)
    async def show(self, request: AnyRequest, business: NamedDependency[Business]) -> Page:
        """Colour, logo and how they look."""
        return _page(request, business)

    @post("/", access=member, status_code=200, request_max_body_size=LARGEST_UPLOAD)
    async def change(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> Response[Any]:
        """Wear another colour, or another logo if a file was chosen."""
        form, content = await posted_with_file(request, BrandingForm, "logo", _TOO_LARGE)
        picture: Picture | None = None
        if content is not None:
            try:
                picture = await outside(session, partial(pictures.read, content))
            except Invalid as problem:
                form.refuse(problem)
        if not form.ok:
            return _page(request, business, form)
        logo = await _kept(request, session, business, picture) if picture else None
        await branding.change(session, parts.signals(request), business, form.value.color, logo)
        return _back(business, _("Your changes are saved."))

    @post("/remove-logo", access=member, status_code=200)
    async def remove_logo(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> SeeOther:
        """Go without a logo."""
        await branding.remove_logo(session, parts.signals(request), business)
        return _back(business, _("The logo is removed."))

    @post("/put-back", access=member, status_code=200)
    async def put_back(
        self, request: AnyRequest, session: Session, business: NamedDependency[Business]
    ) -> SeeOther:
        """Look as before the last change."""
        await branding.put_back(session, parts.signals(request), business)
        return _back(business, _("It looks as before."))

    @get("/preview.css", access=member, dependencies=access.MINE)
    async def preview(
        self, business: NamedDependency[Business], color: FromQuery[str | None] = None
    ) -> Response[str]:
        """The style sheet of the preview, in the colour worn or in one that is being chosen."""
        brand = Look.of(business).brand
        if color is not None and _COLOR.fullmatch(color):
            brand = Brand(color=color)
        sheet = style_sheet(brand, _PREVIEW, _LIGHT_PREVIEW)
        return Response(sheet, media_type="text/css", headers={"cache-control": "no-store"})


async def _kept(
    request: AnyRequest, session: AsyncSession, business: Business, picture: Picture
) -> str:
    """The address of ``picture`` among the business's logos; it is not worn yet."""
    tenant = await parts.directory(request).by_id(business.id)
    assert tenant is not None
    in_use = [each for each in (business.logo, (business.before or {}).get("logo")) if each]
    return await parts.crossing(request).keep_logo(session, tenant, picture, in_use)


def _back(business: Business, text: LazyText) -> SeeOther:
    return SeeOther(f"{access.path_of(business)}/branding", flash=text)


def _page(
    request: AnyRequest, business: Business, refused: Bound[BrandingForm] | None = None
) -> Page:
    look = Look.of(business).brand
    site = parts.url_of(request, business)
    typed = refused.typed("color") if refused is not None else ""
    return Page(
        "portal/businesses/branding.html",
        {
            "business": business,
            "form": refused or blank(BrandingForm, {"color": look.color}),
            "shown": typed if _COLOR.fullmatch(typed) else look.color,
            "logo": f"{site}{look.logo}" if look.logo else None,
        },
        status=422 if refused is not None else 200,
        csp=Csp(image=(site,)),
    )
