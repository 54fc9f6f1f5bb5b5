"""People at the front door of the application: anonymous, customers, staff, another tenant's."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import httpx

from core.auth.authority import Authority
from core.auth.services import create_person, enter
from core.permissions import Role
from core.scope import Tenant
from core.web.edge import Edge
from tests.world import World


@dataclass(frozen=True)
class Front:
    """Makes clients of the application, one per person."""

    world: World
    app: Edge
    transport: httpx.ASGITransport

    def anonymous(self, tenant: Tenant | None = None, **headers: str) -> httpx.AsyncClient:
        """Somebody who has not signed in."""
        slug = (tenant or self.world.acme).slug
        return httpx.AsyncClient(
            transport=self.transport,
            base_url=f"http://{slug}.localhost:8000",
            headers={"sec-fetch-site": "same-origin", **headers},
        )

    async def signed_in(
        self, role: Role = Role.STAFF, tenant: Tenant | None = None
    ) -> httpx.AsyncClient:
        """Somebody new of ``tenant`` (acme if none is given), signed in."""
        tenant = tenant or self.world.acme
        authority: Authority = self.app.tenants.state["authority"]
        async with self.world.databases.transaction(tenant) as session:
            made = await create_person(
                session,
                email=f"{secrets.token_hex(6)}@{role}.example",
                name="Ana Reis",
                role=role,
                password_hash=None,
            )
            entered = await enter(session, authority, made, "test.in")
        client = self.anonymous(tenant)
        client.cookies.set(authority.cookie_name, entered.token)
        return client
