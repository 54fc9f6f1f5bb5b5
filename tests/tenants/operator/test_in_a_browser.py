"""The console in Chromium: axe finds nothing serious, and no page is wider than its screen."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from atrium.testing.browser import axe
from atrium.testing.site import Site
from core.permissions import Role
from tests.atrium.test_dead_letters import dead_letter
from tests.attack.processes import Web, web

pytestmark = pytest.mark.browser

PAGES = (
    *("/operator/tenants", "/operator/tenants?q=nobody", "/operator/health", "/operator/jobs"),
    *("/operator/schedules", "/operator/migrations", "/operator/databases", "/operator/plugins"),
    "/operator/tokens",
)


@pytest.fixture(scope="module")
async def server(site: Site, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Web]:
    """A web process for the world of this run."""
    async with web(site.world.settings, tmp_path_factory.mktemp("web") / "web.log") as running:
        yield running


@pytest.mark.parametrize("width", [1440, 360])
async def test_every_page_can_be_used(
    site: Site, server: Web, browser: Browser, width: int
) -> None:
    """By everybody, at both widths, without a script's error."""
    world = site.world
    await dead_letter(world, world.acme)
    user_id = await site.enrol(world.platform, Role.STAFF)
    async with world.databases.transaction(world.platform) as session:
        token = await site.sessions.begin(session, user_id)
    base = server.url.replace("127.0.0.1", "localhost")
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, bypass_csp=True, locale="en-GB"
    )
    await context.add_cookies([{"name": "atrium", "value": token, "url": base}])
    page = await context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    for path in (*PAGES, f"/operator/tenants/{world.acme.id}"):
        answer = await page.goto(f"{base}{path}")
        assert answer is not None
        assert answer.status == 200, path
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), path
        assert await axe(page) == [], path
    assert broken == []
    await context.close()
