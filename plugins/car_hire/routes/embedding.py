"""The search box for a business's own web site: the one page that others may frame."""

from __future__ import annotations

import hashlib
from typing import Final

from litestar import Controller, Response, get

from core.i18n import LOCALES, gettext, locale, reading_in
from core.mail import address_of
from core.permissions import permission, public
from core.web.headers import Csp
from core.web.http import AnyRequest, Session
from core.web.pages import Page
from core.web.shell import LANGUAGES
from core.web.static import Static
from plugins.car_hire import policy
from plugins.car_hire.routes.http import RATES
from plugins.car_hire.routes.search import begun
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.storefront.addresses import SITE
from plugins.car_hire.services.storefront.showing import paths_of_classes

BOX: Final = f"{SITE}/search-box"
SCRIPT: Final = f"{BOX}.js"
KEPT: Final = "public, max-age=3600"
TALL: Final = 420
"""Pixels that the frame has until the script says how tall the box is."""


class Embedding(Controller):
    """What is shown on somebody else's page."""

    path = SITE
    include_in_schema = False

    @get("/search-box", access=public)
    async def box(self, session: Session) -> Page:
        """The search alone; what is found opens in the whole window, at our address."""
        rules = await policy.read(session)
        paths = await paths_of_classes(session)
        context = {
            "form": await begun(session, {}),
            "class_names": {str(each.id): each.name for each in paths.values()},
            "branch_names": (await network.read(session)).names,
        }
        # Our own desk shows the owner what it looks like.
        framed_by = ("'self'", *rules.framed_by)
        return Page("car_hire/site/search_box.html", context, csp=Csp(ancestors=framed_by))

    @get("/search-box.js", access=public, media_type="text/javascript")
    async def script(self, request: AnyRequest) -> Response[bytes]:
        """What makes the frame as tall as the box, for whoever wants it: it asks for nothing."""
        static: Static = request.app.state.static
        found = static.find(static.url("car_hire/js/search-box.js").removeprefix("/static/"))
        assert found is not None
        body = found[0].body
        headers = {
            "cache-control": KEPT,
            "etag": f'"{hashlib.sha256(body).hexdigest()[:20]}"',
            "cross-origin-resource-policy": "cross-origin",
        }
        return Response(body, media_type="text/javascript", headers=headers)


class OwnSite(Controller):
    """The owner's page about their own web site."""

    path = "/car-hire/desk/web-site"
    include_in_schema = False

    @get(access=permission(RATES))
    async def show(self, session: Session) -> Page:
        """The line to copy, which web sites may show the box, and how it looks."""
        rules = await policy.read(session)
        lines = [(LANGUAGES[code], code, line(code)) for code in LOCALES]
        context = {
            "lines": sorted(lines, key=lambda each: each[1] != locale()),
            "framed_by": rules.framed_by,
            "box": BOX,
            "site": address_of(SITE),
        }
        return Page("car_hire/desk/web_site.html", context)


def line(code: str) -> str:
    """What an owner copies to their page, in a language."""
    with reading_in(code):
        title = gettext("Find a car")
    return (
        f'<iframe src="{address_of(BOX)}?lang={code}" title="{title}" width="100%"'
        f' height="{TALL}" style="border:0" loading="lazy"></iframe>'
        f'<script src="{address_of(SCRIPT)}" async></script>'
    )


CONTROLLERS = (Embedding, OwnSite)
