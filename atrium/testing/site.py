"""The whole application in this process, and people who visit it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import httpx
from litestar.types import LifeSpanReceiveMessage, LifeSpanSendMessage
from litestar.types import Scope as AsgiScope

from atrium.asgi import compose
from atrium.testing.world import World
from core.auth.authority import LOCAL_COOKIE
from core.auth.models import User
from core.auth.sessions import Sessions
from core.ids import new_id
from core.permissions import Role
from core.scope import Tenant
from core.web.edge import Edge
from tenants.catalogue import Catalogue

OWN_PAGES = {"sec-fetch-site": "same-origin"}
"""What a browser says of a form that is sent from a page of the same host."""


@dataclass(frozen=True, slots=True)
class Site:
    """``edge`` serves the tenants of ``world`` as a web process would."""

    edge: Edge
    world: World
    sessions: Sessions

    @property
    def catalogue(self) -> Catalogue:
        """The site's own directory: another process than the world's, as far as caches go."""
        directory = self.edge.directory
        assert isinstance(directory, Catalogue)
        return directory

    def visitor(self, tenant: Tenant, **headers: str) -> httpx.AsyncClient:
        """Somebody who is not signed in, at the tenant's host."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.edge, raise_app_exceptions=False),  # type: ignore[arg-type]  # the same protocol in other words
            base_url=self.world.directory.url_of(tenant, ""),
            headers=OWN_PAGES | headers,
        )

    async def person(self, tenant: Tenant, role: Role = Role.STAFF) -> httpx.AsyncClient:
        """Somebody with an account of their own in ``role``, signed in at the tenant's host."""
        user_id = await self.enrol(tenant, role)
        async with self.world.databases.transaction(tenant) as session:
            token = await self.sessions.begin(session, user_id)
        client = self.visitor(tenant)
        client.cookies.set(LOCAL_COOKIE, token)
        return client

    async def enrol(self, tenant: Tenant, role: Role) -> UUID:
        """A new account in ``role``."""
        user_id = new_id()
        async with self.world.databases.transaction(tenant) as session:
            session.add(
                User(
                    id=user_id,
                    email=f"{role}.{user_id.hex}@people.example",
                    name=f"{role.capitalize()} Pereira",
                    role=role,
                )
            )
        return user_id


@asynccontextmanager
async def site_of(world: World) -> AsyncIterator[Site]:
    """A site for ``world``, started and stopped as a server would."""
    edge = compose(world.settings, world.plugins)
    async with lifespan_of(edge):
        yield Site(edge, world, edge.tenants.state["authority"].sessions)


@asynccontextmanager
async def lifespan_of(edge: Edge) -> AsyncIterator[None]:
    """Speak ASGI's lifespan with ``edge``, in a task of its own as servers do."""
    told: asyncio.Queue[LifeSpanReceiveMessage] = asyncio.Queue()
    said: asyncio.Queue[LifeSpanSendMessage] = asyncio.Queue()
    scope = cast(AsgiScope, {"type": "lifespan", "asgi": {"version": "3.0"}})
    life = asyncio.create_task(edge(scope, told.get, said.put))
    await told.put({"type": "lifespan.startup"})
    begun = await said.get()
    assert begun["type"] == "lifespan.startup.complete", begun
    yield
    await told.put({"type": "lifespan.shutdown"})
    await life
