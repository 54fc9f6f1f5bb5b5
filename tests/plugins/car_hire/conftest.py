"""A tenant with a fleet."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from atrium.testing.site import Site
from atrium.testing.world import World
from core.db import Databases
from core.origin import networks
from core.scope import Tenant
from tests.plugins.car_hire.shop import Shop


@pytest.fixture(scope="session")
async def databases() -> AsyncIterator[Databases]:
    made = Databases(pool_size=20)
    yield made
    await made.dispose()


@pytest.fixture(scope="session")
def tenant(world: World) -> Tenant:
    return world.acme


@pytest.fixture
async def shop(tenant: Tenant, databases: Databases) -> Shop:
    """A class of its own with three cars, for one test."""
    return await Shop.open(databases, tenant)


@pytest.fixture
def believed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Visitors may say by ``X-Forwarded-For`` from which address they come."""
    authority = site.edge.tenants.state["authority"]
    monkeypatch.setattr(authority, "proxies", networks("0.0.0.0/0"))
