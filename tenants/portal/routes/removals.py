"""A product's removal from a business: what goes, the archive that is kept of it, and the word."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import outside
from core.errors import DomainError, NotFound
from core.i18n import _, locale
from core.permissions import member
from core.plugin import Plugin
from core.web.forms import Bound, blank, posted
from core.web.http import AnyRequest, Session
from core.web.pages import Page, SeeOther
from tenants import exports
from tenants.archive.sealing import ArchiveKey
from tenants.archive.tables import tables_of
from tenants.files import archive_file
from tenants.lifecycle import removal
from tenants.portal.routes import access, parts
from tenants.portal.routes.data import archive_answer
from tenants.portal.routes.upkeep_page import insist_confirmed, shown_export
from tenants.portal.schemas import Removal
from tenants.portal.services.businesses import Business


class Removals(Controller):
    """For owners alone."""

    path = "/businesses/{business_id:uuid}/products/{name:str}/removal"
    include_in_schema = False
    dependencies = access.OWNED

    @get("/", access=member)
    async def show(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        name: FromPath[str],
    ) -> Page:
        """What would go, or how the removal comes along."""
        return await _page(request, session, business, _product(request, name))

    @post("/", access=member, status_code=200)
    async def remove(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        name: FromPath[str],
    ) -> Response[Any]:
        """Have it archived, then removed."""
        product = _product(request, name)
        form = await posted(request, Removal)
        try:
            wanted = form.value
            insist_confirmed(business, wanted.confirm)
            key = await outside(session, lambda: ArchiveKey.of(wanted.passphrase))
            person = parts.member().user_id
            await removal.ask(
                session, business.id, product.name, key, account_id=person, locale=locale()
            )
        except DomainError as problem:
            return await _page(request, session, business, product, form.refuse(problem))
        text = _("We are writing the archive; then the product is removed.")
        return SeeOther(_path(business, product), flash=text)

    @get("/archive", access=member)
    async def download(
        self,
        request: AnyRequest,
        session: Session,
        business: NamedDependency[Business],
        name: FromPath[str],
    ) -> Response[Any]:
        """The archive of what was removed."""
        product = _product(request, name)
        if await exports.latest(session, business.id, product.name) is None:
            return SeeOther(_path(business, product))
        export = await exports.fetched(session, business.id, product.name)
        file = archive_file(parts.settings(request), business.id, export.id)
        return await archive_answer(file, f"{business.slug}-{product.prefix}.zip")


def _product(request: AnyRequest, name: str) -> Plugin:
    try:
        return parts.products(request).working[name]
    except KeyError:
        raise NotFound from None


def _path(business: Business, product: Plugin) -> str:
    return f"/businesses/{business.id}/products/{product.name}/removal"


async def _page(
    request: AnyRequest,
    session: AsyncSession,
    business: Business,
    product: Plugin,
    refused: Bound[Any] | None = None,
) -> Page:
    latest = await exports.latest(session, business.id, product.name)
    return Page(
        "portal/upkeep/removal.html",
        {
            "business": business,
            "product": product,
            "state": business.products.get(product.name, "none"),
            "tables": len(tables_of(product.name)),
            "export": shown_export(latest, business),
            "form": refused or blank(Removal, {}),
        },
        status=422 if refused is not None else 200,
    )
