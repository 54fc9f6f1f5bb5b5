"""The pages of this domain in an application, behind what the edge does for them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
from litestar import Litestar, Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.types import Receive, Scope, Send

from core.auth import guard
from core.auth import identity as identities
from core.auth.authority import Authority
from core.auth.guard import DeclaredAccess, access_guard
from core.auth.identity import Identity
from core.db import Databases
from core.part import core, registration
from core.permissions import MANAGE_SETTINGS, member, permission, public
from core.plugin import Plugins
from core.scope import Tenant
from core.settings import Settings
from core.web import unit
from core.web.bodies import StructBodies
from core.web.csrf import same_origin
from core.web.headers import secure
from core.web.locales import localised
from core.web.problems import exception_handlers
from core.web.render import Renderer
from core.web.slots import Slots
from core.web.static import Static
from tests.core.conftest import CoreScopes

BROWSER = {"accept": "text/html", "sec-fetch-site": "same-origin", "user-agent": "Firefox 1"}

HTTP = Settings(database_url="", public_scheme="http", development=True)
"""Development on localhost, where cookies go over plain HTTP."""


@get("/test/public", access=public)
async def for_everyone(identity: NamedDependency[Identity | None]) -> str:
    """Who is asking."""
    return identity.email if identity else "nobody"


@get(["/test/member", "/api/test/member"], access=member)
async def for_members(identity: NamedDependency[Identity]) -> str:
    """Whoever is signed in."""
    return identity.email


@post("/test/member", access=member)
async def for_members_to_post(identity: NamedDependency[Identity]) -> str:
    """An act of whoever is signed in."""
    return identity.email


@get(["/test/permission", "/api/test/permission"], access=permission(MANAGE_SETTINGS.name))
async def for_holders(identity: NamedDependency[Identity]) -> str:
    """Holders of a permission."""
    return identity.email


class Neighbourhood:
    """An ASGI application that finds the tenant by the host's first label."""

    def __init__(self, scopes: CoreScopes, authority: Authority, settings: Settings) -> None:
        parts = Plugins({part.name: part for part in (core, registration)})
        static = Static(parts)
        self.databases: Databases = scopes.databases
        self.tenants: dict[str, Tenant] = {tenant.slug: tenant for tenant in scopes.tenants}
        self.authority = authority
        self.settings = settings
        self.app = Litestar(
            route_handlers=[
                *(controller for part in parts for controller in part.controllers),
                for_everyone,
                for_members,
                for_members_to_post,
                for_holders,
            ],
            dependencies={
                "session": Provide(_of_state("session"), sync_to_thread=False),
                "tenant": Provide(_of_state("tenant"), sync_to_thread=False),
                "identity": Provide(identities.current, sync_to_thread=False),
                "slots": Provide(_slots, sync_to_thread=False),
            },
            guards=[same_origin, access_guard],
            plugins=[DeclaredAccess(), StructBodies()],
            middleware=[localised],
            before_send=[secure],
            exception_handlers={**exception_handlers, **guard.exception_handlers},
            openapi_config=None,
            state=State(
                {
                    "authority": authority,
                    "plugins": parts,
                    "static": static,
                    "renderer": Renderer(settings, parts, static),
                    "directory": self,
                }
            ),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        host = dict(scope["headers"])[b"host"].decode()
        tenant = self.tenants[host.partition(".")[0]]
        await unit.serve(self.app, self.databases, tenant, scope, receive, send)

    def url_of(self, tenant: Tenant, path: str = "/") -> str:
        """What a directory says."""
        return self.settings.tenant_url(tenant.slug, path)

    def browser(self, slug: str = "acme", **headers: str) -> httpx.AsyncClient:
        """A browser at a tenant's host, with a jar for its cookies."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self, client=("203.0.113.7", 4711)),  # type: ignore[arg-type]  # the same protocol
            base_url=f"{self.settings.public_scheme}://{slug}.localhost",
            headers=BROWSER | headers,
        )


def _of_state(name: str) -> Any:
    def provide(request: Request[Any, Any, Any]) -> Any:
        return request.scope["state"][name]

    return provide


def _slots(request: Request[Any, Any, Any]) -> Slots:
    session = request.scope["state"]["session"]
    return Slots(session, request.app.state["plugins"], identities.current())


def path_of(response: httpx.Response) -> str:
    """Where a redirect leads, with its query."""
    parts = urlsplit(response.headers["location"])
    return parts.path + (f"?{parts.query}" if parts.query else "")


def set_cookie(response: httpx.Response, name: str) -> str:
    """The Set-Cookie line of the cookie ``name``."""
    lines = [each for each in response.headers.get_list("set-cookie") if each.startswith(name)]
    assert len(lines) == 1, lines
    return lines[0]
