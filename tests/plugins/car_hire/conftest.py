"""A tenant with a fleet."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from atrium.testing.site import Site
from atrium.testing.world import World
from core.db import Databases
from core.origin import networks
from core.scope import Tenant
from plugins.car_hire.routes.http import QUOTES
from tests.plugins.car_hire import firm as firms
from tests.plugins.car_hire.firm import Firm
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
async def firm(tenant: Tenant, databases: Databases) -> Firm:
    """One car at home, in a class of its own; the branches are nobody else's."""
    return await firms.found(databases, tenant)


@pytest.fixture(autouse=True)
async def unasked(redis_url: str) -> None:
    """Nobody has asked for prices yet: all tests come from one address."""
    async with Redis.from_url(redis_url) as redis:
        async for key in redis.scan_iter(f"throttle:*:{QUOTES.name}:*"):
            await redis.delete(key)


@pytest.fixture
def believed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Visitors may say by ``X-Forwarded-For`` from which address they come."""
    authority = site.edge.tenants.state["authority"]
    monkeypatch.setattr(authority, "proxies", networks("0.0.0.0/0"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every page of car hire in a browser, in both languages and widths, takes minutes."""
    for item in items:
        if "car_hire/test_conformance.py" in item.nodeid and "::test_pages[" in item.nodeid:
            item.add_marker(pytest.mark.long)
