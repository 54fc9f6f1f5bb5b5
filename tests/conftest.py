"""The servers of a run, and the fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright
from redis.asyncio import Redis

from tests.browser import chromium
from tests.servers import POSTGRES, REDIS, Postgres, Servers
from tests.site import Site, site_of
from tests.world import World, world_of

_servers = pytest.StashKey[Servers]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers once, in the process that steers the run, before its workers start."""
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    servers = Servers()
    servers.start()
    config.stash[_servers] = servers


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop them, however the run ended; a killed run is cleaned up by the servers' guard."""
    if (servers := config.stash.get(_servers, None)) is not None:
        servers.stop()


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """The run's PostgreSQL server."""
    return Postgres.at(os.environ[POSTGRES])


@pytest.fixture(scope="session")
async def redis_url() -> str:
    """The address of a Redis database that is this worker's own, emptied."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"{os.environ[REDIS]}/{int(worker)}"
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
    return url


@pytest.fixture(scope="session")
async def world(postgres: Postgres, redis_url: str) -> AsyncIterator[World]:
    """Two databases with tenant zero and three tenants, shared by the tests of this worker."""
    async with world_of(postgres, redis_url) as made:
        yield made


@pytest.fixture(scope="session")
async def site(world: World) -> AsyncIterator[Site]:
    """The whole application, serving that world in this process."""
    async with site_of(world) as made:
        yield made


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, driven by Playwright's async API; pages belong to contexts of a test's own."""
    executable, arguments = chromium()
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(
            executable_path=executable, args=arguments, headless=True
        )
        yield running
        await running.close()
