"""The page at ``/`` of a tenant: its one product's home, or a choice of several."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.response import Redirect

from core.i18n import _, fill
from core.permissions import public
from core.plugin import Plugins
from core.scope import Tenant
from core.web.listed import Listed
from core.web.pages import Page
from core.web.slots import HOME, Slots


@get("/", access=public, include_in_schema=False)
async def home(
    request: Request[Any, Any, Any],
    tenant: NamedDependency[Tenant],
    slots: NamedDependency[Slots],
) -> Page | Redirect:
    """Where a visitor of a tenant begins."""
    plugins: Plugins = request.app.state.plugins
    products = [each for each in plugins.enabled(tenant.plugins) if each.home]
    if len(products) == 1 and products[0].home:
        return Redirect(products[0].home, status_code=302)
    added = await slots.fill(HOME)
    about = fill(_("What {name} offers, and how to book it."), name=tenant.name)
    # Parts of other products may hold forms with keys of their own.
    return Page(
        "core/home.html",
        {"products": products, "added": added},
        listed=Listed(path="/", description=about),
        headers={"cache-control": "no-store"},
    )
