"""Pages that plugins take part in, in Chromium: narrow and wide, without an axe finding."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from playwright.async_api import Browser, expect

from atrium.testing.browser import axe
from atrium.testing.world import World
from atrium.up.process import free_port
from core.auth.authority import LOCAL_COOKIE
from core.permissions import Role
from tests.extending.ground import Ground, declare, ground_of
from tests.extending.winter import winter
from tests.plugins.car_hire.shop import Shop

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def ground(world: World) -> AsyncIterator[Ground]:
    async with ground_of(world, winter, declare("books", home="/books")) as made:
        yield made


@pytest.fixture(scope="module")
async def address(ground: Ground) -> AsyncIterator[str]:
    """The tenant's own, really served."""
    port = free_port()
    server = Server(ground.site.edge, port=port, interface=Interfaces.ASGINL, log_enabled=False)
    serving = asyncio.create_task(server.serve())
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            await writer.wait_closed()
            break
    yield f"http://{ground.tenant.slug}.localhost:{port}"
    server.stop()
    await serving


@pytest.mark.parametrize("width", [1440, 360])
async def test_a_day_with_plugins(
    browser: Browser, ground: Ground, address: str, width: int
) -> None:
    """The home page's parts; a setting changed and put back; a car handed over with a step."""
    shop = await Shop.open(ground.site.world.databases, ground.tenant, cars=2)
    booking = await shop.confirmed()
    async with await ground.site.person(ground.tenant, Role.OWNER) as owner:
        token = owner.cookies[LOCAL_COOKIE]
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, bypass_csp=True, locale="en-GB"
    )
    await context.add_cookies([{"name": LOCAL_COOKIE, "value": token, "url": address}])
    page = await context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))

    async def looks_right() -> None:
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert await axe(page) == [], page.url

    await page.goto(f"{address}/")
    await expect(page.get_by_role("heading", name="Hire a car")).to_be_visible()
    await looks_right()

    await page.goto(f"{address}/settings/car-hire")
    await page.get_by_label("Grace at the return").fill("75")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Version", exact=False).first).to_be_visible()
    await looks_right()
    await page.get_by_role("button", name="Restore the defaults").click()
    await page.get_by_role("dialog").get_by_role("button", name="Restore the defaults").click()
    await expect(page.get_by_label("Grace at the return")).to_have_value("60")

    await page.goto(f"{address}/car-hire/desk/bookings/{booking.id}")
    await looks_right()
    await page.get_by_label("I have seen the driving licence").check()
    await page.get_by_label("Tread").fill("3")
    await page.get_by_role("button", name="Checked").click()
    await expect(page.get_by_text("These tyres are too worn")).to_be_visible()
    await looks_right()
    await page.get_by_label("Tread").fill("6")
    await page.get_by_label("I have seen the driving licence").check()
    await page.get_by_role("button", name="Checked").click()
    await expect(page.get_by_role("heading", name="Tyres")).to_be_visible()
    await looks_right()

    await page.goto(f"{address}/account")
    await looks_right()
    assert broken == []
    await context.close()
