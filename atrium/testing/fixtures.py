"""A pytest plugin: throw-away servers, a small world, its people, and the conformance checks.

pytest finds it by its entry point wherever Atrium is installed. Nothing is started before a
test asks for it; servers that the environment names are used instead of starting any.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect
from redis.asyncio import Redis

from atrium.testing import checks
from atrium.testing.browser import chromium
from atrium.testing.checks.candidate import Candidate, NotInstalled
from atrium.testing.checks.check import Check, Nonconformant
from atrium.testing.servers import POSTGRES, REDIS, Postgres, Servers
from atrium.testing.site import Site, site_of
from atrium.testing.tour import Tour, tour_of
from atrium.testing.trial import Shop, Trial, trial_of
from atrium.testing.world import World, world_of
from core.testing import Business, Conformance

PATIENCE_MS = 20_000
"""How long a page may take to become what a test expects: machines are noisy."""

session = pytest_asyncio.fixture(scope="session", loop_scope="session")
of_a_class = pytest_asyncio.fixture(scope="class", loop_scope="session")


def pytest_configure(config: pytest.Config) -> None:
    """Say what our marker means."""
    config.addinivalue_line("markers", "browser: drives Chromium")


@pytest.fixture(scope="session")
def servers() -> Iterator[None]:
    """PostgreSQL and Redis, by the variables that name them."""
    if POSTGRES in os.environ and REDIS in os.environ:
        yield
        return
    started = Servers()
    started.start()
    yield
    started.stop()


@pytest.fixture(scope="session")
def postgres(servers: None) -> Postgres:
    """The run's PostgreSQL server."""
    return Postgres.at(os.environ[POSTGRES])


@session
async def redis_url(servers: None) -> str:
    """The address of a Redis database that is this worker's own, emptied."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"{os.environ[REDIS]}/{int(worker)}"
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
    return url


@session
async def world(postgres: Postgres, redis_url: str) -> AsyncIterator[World]:
    """Two databases with tenant zero and three tenants, shared by the tests of this worker."""
    async with world_of(postgres, redis_url) as made:
        yield made


@session
async def site(world: World) -> AsyncIterator[Site]:
    """The whole application, serving that world in this process."""
    async with site_of(world) as made:
        yield made


@session
async def business(site: Site) -> Business:
    """A tenant that has every installed plugin, and its people."""
    return Shop(site, await site.world.provision())


@session
async def browser() -> AsyncIterator[Browser]:
    """Chromium, driven by Playwright's async API; pages belong to contexts of a test's own."""
    executable, arguments = chromium()
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(
            executable_path=executable, args=arguments, headless=True
        )
        yield running
        await running.close()


@of_a_class
async def trial(request: pytest.FixtureRequest, site: Site) -> Trial:
    """The plugin that a class of conformance tests is about, among tenants and people."""
    assert issubclass(request.cls, Conformance)
    return await trial_of(Candidate.named(request.cls.plugin), site, request.cls.rows)


@of_a_class
async def tour(trial: Trial, browser: Browser) -> AsyncIterator[Tour]:
    """A browser that looks at its pages."""
    async with tour_of(trial, browser) as made:
        yield made


_OF = {
    "test_declaration": checks.declared,
    "test_at_work": checks.at_work,
    "test_pages": checks.in_a_browser,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each class that ``core.testing.conformance`` made the checks of its plugin."""
    if metafunc.cls is None or not issubclass(metafunc.cls, Conformance):
        return
    name = metafunc.function.__name__
    try:
        candidate = Candidate.named(metafunc.cls.plugin)
    except NotInstalled as problem:
        only = [_fails(str(problem))] if name == "test_declaration" else []
        metafunc.parametrize("check", only, ids=["it is installed"] * len(only))
        return
    found: list[Check] = _OF[name](candidate)
    given = found if name != "test_declaration" else [each.declared(candidate) for each in found]
    metafunc.parametrize("check", given, ids=list(map(str, found)))


def _fails(reason: str) -> Callable[[], None]:
    def check() -> None:
        raise Nonconformant(reason)

    return check
