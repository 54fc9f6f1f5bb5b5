"""The portal's front page."""

from __future__ import annotations

from litestar import Controller, get

from core.permissions import public
from core.web.http import AnyRequest
from core.web.pages import Page
from tenants.portal.routes import parts


class Landing(Controller):
    """What Atrium is, for those who do not know it yet."""

    include_in_schema = False

    @get("/", access=public)
    async def landing(self, request: AnyRequest) -> Page:
        """The front page; the products shown are those that are installed and work."""
        domain = parts.settings(request).tenant_url("*", "").partition("*")[2]
        return Page(
            "portal/landing.html", {"products": list(parts.products(request)), "domain": domain}
        )
