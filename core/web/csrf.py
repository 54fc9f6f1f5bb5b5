"""Requests that change something must come from our own pages.

Browsers say where a request comes from: ``Sec-Fetch-Site`` (all since 2023), else ``Origin``.
That, with SameSite=Lax session cookies, replaces tokens in forms. A sibling subdomain belongs
to another tenant and is as foreign as any other site; the portal is too, save for a route that
declares ``from_portal=True``. Callers without a session cookie (bearer
tokens, webhooks, curl) have nothing that could be abused and are let through.
"""

from __future__ import annotations

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from core.auth.authority import LOCAL_COOKIE, SECURE_COOKIE
from core.errors import Forbidden
from core.i18n import _
from core.web.shell import AsgiScope, header, read_cookies

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
SESSION_COOKIES: Final = (SECURE_COOKIE, LOCAL_COOKIE)


class CrossSite(Forbidden):
    """A page of somebody else's tried to act in the name of our visitor."""

    code = "cross_site_request"
    title = _("This request came from another site")


def check(scope: AsgiScope, also: str | None = None) -> None:
    """Refuse an unsafe request that another site may have caused; ``also`` is an origin whose
    pages may cause this one.

    Raises:
        CrossSite: always before any handler has run.
    """
    if scope["method"] in SAFE or _exempt(scope):
        return
    if also is not None and header(scope, b"origin") == also:
        return
    site = header(scope, b"sec-fetch-site")
    if site:
        if site not in {"same-origin", "none"}:
            raise CrossSite
        return
    origin = header(scope, b"origin")
    if origin:
        if not _own(origin, header(scope, b"host")):
            raise CrossSite
    elif any(name in read_cookies(scope) for name in SESSION_COOKIES):
        raise CrossSite


def _exempt(scope: AsgiScope) -> bool:
    if scope["path"].startswith("/webhooks/"):
        return True
    return header(scope, b"authorization").lower().startswith("bearer ")


def _own(origin: str, host: str) -> bool:
    return bool(host) and origin.partition("://")[2].lower() == host.lower()


async def same_origin(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """``check`` as a Litestar guard; async, since Litestar runs others in a thread."""
    portal: str | None = None
    if handler.opt.get("from_portal"):
        portal = connection.app.state.renderer.settings.public_url
    check(connection.scope, portal)
