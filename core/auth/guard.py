"""The one guard: who is asking, and may they call this route?

A route that declares no access does not get as far as this: the application refuses to start.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlsplit

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.exceptions import ImproperlyConfiguredException, NotFoundException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.plugins import ReceiveRoutePlugin
from litestar.response import Redirect
from litestar.routes import ASGIRoute, BaseRoute, HTTPRoute, WebSocketRoute
from litestar.types import ExceptionHandlersMap
from sqlalchemy.ext.asyncio import AsyncSession

from core import origin
from core.at_rest import UnderMaintenance
from core.auth import identity as identities
from core.auth.authority import Authority
from core.auth.hidden import is_hidden
from core.auth.identity import Identity
from core.errors import Forbidden, NotFound, Unauthenticated
from core.i18n import _, read_in
from core.origin import Origin
from core.permissions import Access, public
from core.scope import Tenant
from core.web.locales import negotiate

Connection = ASGIConnection[Any, Any, Any, Any]

SIGN_IN: Final = "/sign-in"
_API: Final = "/api/"
_OPEN: Final = frozenset({
    SIGN_IN, "/sign-out", "/enter", "/invitation", "/password/forgotten", "/password/reset",
    "/api/v1/sessions", "/brand.css",
})  # fmt: skip
_OPEN_BELOW: Final = (
    "/api/v1/sessions/", "/webhooks/", "/brand/logo/", "/static/", "/.atrium/", "/api/.atrium/",
    "/dev/",
)  # fmt: skip
"""Where people show that they are staff, vendors call, and pages take their looks from: served
under maintenance too."""
_BEARER: Final = "bearer "
EVENT_STREAM: Final = "text/event-stream"
"""What browsers say that they accept when they ask for a stream, and nothing else does."""


class UndeclaredAccess(ImproperlyConfiguredException):
    """A route that does not say who may call it; the application does not start with it."""


class SignInRequired(Unauthenticated):
    """A person without a session asked for a page that needs one: send them to sign in."""


async def access_guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Find out who is asking, and insist that they may call ``handler``.

    Raises:
        SignInRequired: a page, and nobody is signed in.
        Unauthenticated: the API, and nobody is signed in.
        Forbidden: the permission is lacking.
        NotFound: so is the one without which the route does not exist.
        UnderMaintenance: the tenant is, and this is no member of its staff.
    """
    access: Access | None = handler.opt.get("access")
    asks_methods = access is None and connection.scope.get("method") == "OPTIONS"
    if asks_methods and is_hidden(connection.app, connection.scope["path"]):
        raise NotFoundException
    authority: Authority = connection.app.state["authority"]
    origin.came_from(_origin(connection, authority))
    identity = await _identify(connection, authority)
    identities.become(identity)
    read_in(negotiate(connection.scope))  # what is said before the page is drawn, too
    _insist_open(connection, identity)
    if access == public or asks_methods:
        return
    if access is None:
        raise UndeclaredAccess(f"{handler} does not say who may call it")
    _insist_may(identity, access, is_api=connection.scope["path"].startswith(_API))


def _insist_may(identity: Identity | None, access: Access, *, is_api: bool) -> None:
    if identity is None and is_api:
        raise Unauthenticated
    if access.seen_with is not None and (identity is None or not identity.may(access.seen_with)):
        raise NotFound
    if identity is None:
        raise SignInRequired
    if identity.machine and access.permission is None:
        raise Forbidden(_("This is for people; a token for machines cannot do it."))
    if not identity.may(access.permission):
        raise Forbidden(_("Your account does not have the permission this needs."))


def _insist_open(connection: Connection, identity: Identity | None) -> None:
    tenant: Tenant = connection.scope["state"]["tenant"]
    if tenant.maintenance is None or (identity is not None and identity.is_staff):
        return
    path: str = connection.scope["path"]
    if path.rstrip("/") not in _OPEN and not path.startswith(_OPEN_BELOW):
        raise UnderMaintenance(tenant.maintenance)


def _origin(connection: Connection, authority: Authority) -> Origin:
    peer = connection.client.host if connection.client else None
    forwarded = connection.headers.getall("x-forwarded-for", [])
    address = origin.client_address(peer, forwarded, authority.proxies)
    return Origin(address, connection.headers.get("user-agent", "")[:300])


async def _identify(connection: Connection, authority: Authority) -> Identity | None:
    tenant: Tenant = connection.scope["state"]["tenant"]
    session: AsyncSession = connection.scope["state"]["session"]
    if tenant.status == "updating":
        return None  # its tables may not be those that would be asked
    # Browsers ask for streams by themselves, again and again: nobody has done anything.
    is_of_itself = connection.headers.get("accept") == EVENT_STREAM
    find = authority.sessions.look_on if is_of_itself else authority.sessions.find
    header = connection.headers.get("authorization", "")
    if connection.scope["path"].startswith(_API) and header.lower().startswith(_BEARER):
        token = header[len(_BEARER) :].strip()
        if authority.machines is not None and token.startswith(authority.machines.prefix):
            return await authority.machines.find(session, tenant, token)
        return await find(session, tenant, token, "api")
    cookie = connection.cookies.get(authority.cookie_name)
    if cookie is None:
        return None
    return await find(session, tenant, cookie, "page")


def safe_next(target: str | None, otherwise: str = "/") -> str:
    """``target`` if it is a path of this site, else ``otherwise``: no way out to other sites.

    Browsers read ``\\`` as ``/`` and skip control characters, so neither may occur.
    """
    if not target or not target.startswith("/") or len(target) > 2000:
        return otherwise
    if "\\" in target or any(ord(each) < 0x20 or ord(each) == 0x7F for each in target):
        return otherwise
    return otherwise if target.startswith("//") else target


def to_sign_in(request: Request[Any, Any, Any], _: Exception) -> Response[Any]:
    """Send a person to the sign-in page and, after it, back to where they were going."""
    if request.method in {"GET", "HEAD"} and "hx-request" not in request.headers:
        query = request.url.query
        target = request.url.path + (f"?{query}" if query else "")
    else:  # what was sent cannot be sent again: go back to the page it was sent from
        shown = request.headers.get("hx-current-url") or request.headers.get("referer") or ""
        target = _path_of(str(shown))
    way = f"{SIGN_IN}?next={quote(safe_next(target), safe='/')}"
    if "hx-request" in request.headers:
        return Response(b"", status_code=401, headers={"hx-redirect": way})
    return Redirect(way, status_code=303)


def _path_of(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:  # a header can say anything
        return ""


exception_handlers: ExceptionHandlersMap = {SignInRequired: to_sign_in}


class DeclaredAccess(ReceiveRoutePlugin):
    """Refuses to start on a route that does not declare who may call it."""

    def receive_route(self, route: BaseRoute) -> None:
        """Look at one route as it is added."""
        for handler in _handlers(route):
            if not isinstance(handler.opt.get("access"), Access):
                raise UndeclaredAccess(
                    f"{route.path} ({handler}) does not say who may call it. Give the handler"
                    " access=public, access=member or access=permission('plugin.thing'),"
                    " from core.permissions."
                )


def _handlers(route: BaseRoute) -> list[BaseRouteHandler]:
    if isinstance(route, HTTPRoute):
        return [each for each in route.route_handlers if not _answers_options(each)]
    if isinstance(route, ASGIRoute | WebSocketRoute):
        return [route.route_handler]
    return []


def _answers_options(handler: HTTPRouteHandler) -> bool:
    """Whether Litestar made it by itself, to say which methods a path has."""
    return handler.http_methods == {"OPTIONS"} and handler.fn.__module__.startswith("litestar.")
