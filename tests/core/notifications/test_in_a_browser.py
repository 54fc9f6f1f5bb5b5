"""The bell in Chromium: it counts by itself, opens, and fits on a telephone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from atrium.testing.browser import axe
from atrium.testing.site import Site
from core.permissions import Role
from plugins.car_hire.notices import BOOKED
from tests.attack.processes import Web, web
from tests.core.notifications.people import Person
from tests.plugins.car_hire.shop import Shop

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def server(site: Site, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Web]:
    """A web process for the world of this run."""
    async with web(site.world.settings, tmp_path_factory.mktemp("web") / "web.log") as running:
        yield running


@asynccontextmanager
async def window(
    browser: Browser, server: Web, person: Person, width: int = 1440
) -> AsyncIterator[Page]:
    """A browser of the person's own, signed in; no script may fail in it."""
    async with person.at() as session:
        token = await person.site.sessions.begin(session, person.id)
    base = f"http://{person.tenant.slug}.localhost:{server.port}"
    context = await browser.new_context(
        base_url=base, viewport={"width": width, "height": 800}, bypass_csp=True, locale="en-GB"
    )
    await context.add_cookies([{"name": "atrium", "value": token, "url": base}])
    page = await context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    await context.close()
    assert broken == []


async def test_what_happens_is_seen_without_reloading(
    site: Site, server: Web, browser: Browser
) -> None:
    """A booking is paid: the bells of two colleagues count it, in every tab, and say it; what one
    reads is read in all tabs of theirs, and stays unread for the other."""
    tenant = await site.world.provision()
    ana, rui = await Person.of(site, tenant), await Person.of(site, tenant)
    shop = await Shop.open(site.world.databases, tenant)
    async with window(browser, server, ana) as hers, window(browser, server, rui) as his:
        tab = await hers.context.new_page()
        for page in (hers, tab, his):
            await page.goto("/car-hire/desk")
        booking = await shop.confirmed()
        for page in (hers, tab, his):
            await expect(page.locator("at-bell [data-count]")).to_have_text("1")
        await expect(his.locator("at-toasts")).to_contain_text(booking.number)
        await hers.bring_to_front()
        await hers.get_by_role("link", name="Notifications").first.click()
        panel = hers.locator("#at-bell-panel")
        await expect(panel).to_contain_text(booking.number)
        await panel.get_by_role("button", name="Mark all as read").click()
        for page in (hers, tab):
            await expect(page.locator("at-bell [data-count]")).to_be_hidden()
        await expect(his.locator("at-bell [data-count]")).to_have_text("1")
        await panel.locator(".at-note-text").click()
        await hers.wait_for_url(f"**/car-hire/desk/bookings/{booking.id}")


@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("role", [Role.STAFF, Role.MEMBER])
async def test_every_page_can_be_used(
    site: Site, server: Web, browser: Browser, width: int, role: Role
) -> None:
    """Empty and full, at both widths; axe finds nothing serious."""
    person = await Person.of(site, site.world.acme, role)
    async with window(browser, server, person, width) as page:

        async def looks_right() -> None:
            assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert await axe(page) == []

        await page.goto("/notifications")
        await looks_right()
        for _ in range(3):
            await person.tell()
        await person.tell(BOOKED)
        for path in ("/notifications", "/account/notifications"):
            await page.goto(path)
            await looks_right()
        await page.get_by_role("link", name="Notifications").first.click()
        await expect(page.locator("#at-bell-panel .at-note").first).to_be_visible()
        box = await page.locator("#at-bell-panel").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        await looks_right()
        await page.keyboard.press("Escape")
        await expect(page.locator("#at-bell-panel")).to_be_hidden()


async def test_without_scripts_the_bell_is_a_link(
    site: Site, server: Web, browser: Browser
) -> None:
    """It leads to the page, whose buttons work."""
    person = await Person.of(site, site.world.acme)
    await person.tell()
    async with person.at() as session:
        token = await site.sessions.begin(session, person.id)
    base = f"http://acme.localhost:{server.port}"
    context = await browser.new_context(base_url=base, java_script_enabled=False, locale="en-GB")
    await context.add_cookies([{"name": "atrium", "value": token, "url": base}])
    page = await context.new_page()
    await page.goto("/car-hire/desk")
    await page.locator("at-bell > a").click()
    await page.get_by_role("button", name="Mark all as read").click()
    await expect(page.locator(".at-note[data-unread]")).to_have_count(0)
    await context.close()
