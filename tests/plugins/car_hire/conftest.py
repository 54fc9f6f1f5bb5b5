"""A tenant with a fleet, the whole application, and people to ask it as."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from atrium.asgi import create_app
from core.db import Databases
from core.scope import Tenant
from core.web.edge import Edge
from tests.plugins.car_hire.people import Front
from tests.plugins.car_hire.shop import Shop
from tests.world import World


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


@pytest.fixture(scope="session")
async def app(world: World) -> AsyncIterator[Edge]:
    """The web process as it is deployed, without a socket."""
    made = create_app(world.settings)
    async with made.lifespan(), made.tenants.lifespan(), made.platform.lifespan():
        yield made


@pytest.fixture(scope="session")
async def front(world: World, app: Edge) -> Front:
    """The application's front door, for anybody one likes to be."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
    return Front(world, app, transport)
