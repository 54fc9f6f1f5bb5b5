"""What can be chosen: every product, and a page of each, drawn from its declaration."""

from __future__ import annotations

from typing import Final

from litestar import Controller, get
from litestar.params import FromPath, FromQuery

from core.errors import NotFound
from core.i18n import _
from core.permissions import member
from core.plugin import Plugin
from core.portrait import Portrait
from core.web.http import AnyRequest, Session
from core.web.pages import Page
from core.web.static import Static
from tenants.portal.routes import parts
from tenants.portal.routes.businesses import ROLE_NAMES
from tenants.portal.services import businesses
from tenants.portal.services.businesses import Business

STATES: Final = {
    "": _("All"),
    "on": _("On in a business of mine"),
    "off": _("Not on anywhere"),
    "unavailable": _("Unavailable here"),
}
_LONGEST_QUERY: Final = 100


class Products(Controller):
    """For everybody with an account."""

    path = "/products"
    include_in_schema = False

    @get("/", access=member)
    async def gallery(
        self,
        request: AnyRequest,
        session: Session,
        q: FromQuery[str] = "",
        status: FromQuery[str] = "",
    ) -> Page:
        """Those that are installed, by words and by state; those that cannot be used, and why."""
        found = await businesses.mine(session, parts.member().user_id)
        installed, words = parts.products(request), q[:_LONGEST_QUERY].casefold().split()
        status = status if status in STATES else ""
        told = [(each, _where(each, found)) for each in installed if _says(each, words)]
        shown = [pair for pair in told if status in {"", "on" if pair[1] else "off"}]
        broken = {
            name: reason
            for name, reason in installed.broken.items()
            if status in {"", "unavailable"} and all(word in name.casefold() for word in words)
        }
        context = {"shown": shown, "broken": broken, "q": q, "status": status, "states": STATES}
        return Page("portal/products/gallery.html", context)

    @get("/{name:str}", access=member)
    async def show(self, request: AnyRequest, session: Session, name: FromPath[str]) -> Page:
        """What one does, asks for, keeps and calls; and where it is on."""
        product = parts.products(request).working.get(name)
        if product is None:
            raise NotFound
        found = await businesses.mine(session, parts.member().user_id)
        portrait = Portrait(product)
        static: Static = request.app.state["static"]  # which has what was there at the start
        return Page(
            "portal/products/show.html",
            {
                "product": product,
                "portrait": portrait,
                "pictures": [each for each in portrait.screenshots if static.has(each)],
                "businesses": [each for each in found if each.may_administer],
                "roles": ROLE_NAMES,
            },
        )


def _says(product: Plugin, words: list[str]) -> bool:
    said = f"{product.name} {product.title} {product.summary}".casefold()
    return all(word in said for word in words)


def _where(product: Plugin, found: list[Business]) -> list[Business]:
    """The businesses in which it is on."""
    return [each for each in found if each.products.get(product.name) == "enabled"]
