"""A small application with the web part of core and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.types import Receive, Send
from litestar.types import Scope as AsgiScope

from core.auth.guard import DeclaredAccess
from core.auth.identity import Identity, acting_as
from core.ids import new_id
from core.plugin import Plugins
from core.scope import Brand, Database, Scope, Tenant, acting_for, scope_name
from core.settings import Settings
from core.web import openapi
from core.web.bodies import StructBodies
from core.web.csrf import same_origin
from core.web.headers import secure
from core.web.locales import localised
from core.web.parts import DEVELOPMENT_HANDLERS, HANDLERS
from core.web.problems import exception_handlers
from core.web.render import Renderer
from core.web.revalidate import revalidated
from core.web.static import Static

SETTINGS = Settings(
    database_url="postgresql://nowhere/nothing",
    development=True,
    public_scheme="http",
    public_port=8400,
)


def a_tenant(**given: object) -> Tenant:
    """A tenant that no database knows."""
    known: dict[str, object] = {"name": "Porto Drive", "zone": "Europe/Lisbon"}
    tenant_id = new_id()
    scope = Scope(Database("nowhere", ""), scope_name(tenant_id))
    return Tenant(id=tenant_id, slug="porto", scope=scope, **(known | given))  # type: ignore[arg-type]  # as given


def _no_session() -> None:
    """These pages read nothing."""


class Served:
    """A Litestar application behind what the edge does: tenant and identity."""

    def __init__(self, *handlers: HTTPRouteHandler, plugins: Plugins | None = None) -> None:
        plugins = plugins or Plugins({})
        static = Static(plugins)
        self.tenant = a_tenant(brand=Brand(color="#0f766e"))
        self.identity: Identity | None = None
        self.renderer = Renderer(SETTINGS, plugins, static)
        self.app = Litestar(
            route_handlers=[*HANDLERS, *DEVELOPMENT_HANDLERS, *handlers],
            state=State({"renderer": self.renderer, "static": static}),
            guards=[same_origin],
            dependencies={"session": Provide(_no_session, sync_to_thread=False)},
            middleware=[localised, revalidated],
            before_send=[secure],
            exception_handlers=exception_handlers,
            plugins=[DeclaredAccess(), StructBodies()],
            openapi_config=openapi.config("Test"),
        )

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        scope.setdefault("state", {})
        with acting_for(self.tenant), acting_as(self.identity):
            await self.app(scope, receive, send)

    def client(self, **headers: str) -> httpx.AsyncClient:
        """Something that asks like a browser on this host."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self),  # type: ignore[arg-type]  # the same protocol
            base_url="http://porto.localhost:8400",
            headers={"accept": "text/html", **headers},
        )


@pytest.fixture
def served() -> Served:
    """The application without routes of a test's own."""
    return Served()


@pytest.fixture
async def browser_like(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    async with served.client() as client:
        yield client
