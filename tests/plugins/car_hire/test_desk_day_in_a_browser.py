"""A day at the desk, in Chromium: the drawer is opened, somebody walks in, a car goes and comes
back, and the drawer is counted. The walk-in is served by keyboard alone."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from atrium.testing.browser import axe
from atrium.testing.site import Site
from core.auth.authority import LOCAL_COOKIE
from core.db import Databases
from core.permissions import Role
from plugins.car_hire.services import customers, hires, paying
from tests.attack.processes import Web, web
from tests.plugins.car_hire.shop import Shop, customer_input

pytestmark = pytest.mark.browser

DESK = "/car-hire/desk"
PICTURES = os.environ.get("DESK_DAY_PICTURES")
"""A folder for pictures of the day; none are taken without."""


@pytest.fixture
async def server(site: Site, tmp_path: Path) -> AsyncIterator[Web]:
    """A web process for the world of this run."""
    async with web(site.world.settings, tmp_path / "web.log") as running:
        yield running


@pytest.fixture
async def firm(site: Site, databases: Databases) -> Shop:
    """A small business of this test's own: one class, three cars, two customers."""
    tenant = await site.world.provision(f"day-{secrets.token_hex(3)}")
    shop = await Shop.open(databases, tenant, name="Small cars")
    async with shop.transaction() as session:
        for name in ("Marta Nogueira", "Mário Nunes"):
            await customers.add(session, customer_input(name=name))
    return shop


@pytest.fixture
async def clerk(site: Site, server: Web, browser: Browser, firm: Shop) -> AsyncIterator[Page]:
    """The clerk's browser, signed in; no script may fail in it."""
    user_id = await site.enrol(firm.tenant, Role.STAFF)
    async with firm.transaction() as session:
        token = await site.sessions.begin(session, user_id)
    base = f"http://{firm.tenant.slug}.localhost:{server.port}"
    context = await browser.new_context(
        base_url=base, viewport={"width": 1440, "height": 900}, bypass_csp=True, locale="en-GB"
    )
    await context.add_cookies([{"name": LOCAL_COOKIE, "value": token, "url": base}])
    page = await context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    await context.close()
    assert broken == []


class Keys:
    """A clerk's hands on the keyboard, counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.pressed = page, 0

    async def press(self, key: str) -> None:
        self.pressed += 1
        await self.page.keyboard.press(key)

    async def type(self, text: str) -> None:
        self.pressed += len(text)
        await self.page.keyboard.type(text)

    async def tab_to(self, wanted: Locator) -> None:
        """With the Tab key, as one does who has no mouse."""
        for _ in range(60):
            if await wanted.evaluate("each => each === document.activeElement"):
                return
            await self.press("Tab")
        raise AssertionError(f"the keyboard does not reach {wanted}")


async def looks_right(page: Page, name: str) -> None:
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), page.url
    assert await axe(page) == [], page.url
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/{name}.png")


async def test_a_day_at_the_desk(firm: Shop, clerk: Page) -> None:
    """From the float in the morning to the count in the evening."""
    await open_drawer(clerk)
    keys = Keys(clerk)
    number = await serve_walk_in(clerk, keys)
    assert keys.pressed < 150, "a minute's work of slow fingers"
    await hand_over(clerk)
    await look_at_today(clerk)
    await take_back(clerk, firm, number)
    await give_back_what_is_left(clerk)
    await find(clerk)
    await count_drawer(clerk)


async def open_drawer(page: Page) -> None:
    await page.goto(f"{DESK}/cash")
    await page.get_by_label("Float").fill("150")
    await page.get_by_role("button", name="Open").click()
    await expect(page.locator("main")).to_contain_text("€150.00")


async def serve_walk_in(page: Page, keys: Keys) -> str:
    """A new customer wants a car now: seen what is free, written down, booked, paid in cash."""
    await page.goto(DESK)
    await keys.tab_to(page.get_by_role("link", name="Walk-in"))
    await keys.press("Enter")
    await page.wait_for_url("**/walk-in*")
    await looks_right(page, "walk-in")
    await keys.tab_to(page.get_by_role("link", name="Book", exact=True))
    await keys.press("Enter")
    await expect(page.get_by_label("Find the customer")).to_be_focused()
    await keys.type("mar")
    options = page.get_by_label("Customer", exact=True).locator("option")
    await expect(options).to_have_count(2)
    await expect(page.get_by_label("Find the customer")).to_have_value("mar")
    await expect(page.get_by_label("Find the customer")).to_be_focused()
    await looks_right(page, "booking")

    await keys.tab_to(page.get_by_role("link", name="New customer"))
    await keys.press("Enter")
    await page.wait_for_url("**/customers/new?*")
    for label, text in (
        ("Name", "Ida Brandão"),
        ("E-mail", "ida@brandao.example"),
        ("Date of birth", "03041991"),
        ("Driving licence number", "L-2271904"),
        ("Issued in", "Port"),
        ("Valid until", "31052031"),
    ):
        await keys.tab_to(page.get_by_label(label, exact=False).first)
        await keys.type(text)
    await keys.press("Enter")
    await page.wait_for_url("**/bookings/new?*")
    chosen = page.get_by_label("Customer", exact=True).locator("option:checked")
    await expect(chosen).to_contain_text("Ida Brandão")
    await keys.tab_to(page.get_by_role("button", name="Book", exact=True))
    await keys.press("Enter")
    await expect(page.locator("h1")).to_have_text("Ida Brandão")
    await keys.tab_to(page.get_by_role("button", name=re.compile("Received")))
    await keys.press("Enter")
    await expect(page.locator("main")).to_contain_text("Hand over")
    await looks_right(page, "paid")
    title = await page.title()
    found = re.search("[A-Z0-9]{4}-[A-Z0-9]{4}", title)
    assert found is not None, title
    return found[0]


async def hand_over(page: Page) -> None:
    """Readings at the counter, and the deposit in cash."""
    await page.get_by_label("Odometer").fill("10012")
    await page.get_by_label("Fuel").fill("8")
    await page.get_by_label("I have seen the driving licence").check()
    await page.get_by_role("button", name="Checked, go on to the deposit").click()
    await page.get_by_role("button", name=re.compile("Received")).click()
    await expect(page.locator("main")).to_contain_text("Take back")


async def look_at_today(page: Page) -> None:
    """One car is away."""
    await page.goto(DESK)
    await expect(page.locator("main")).to_contain_text(re.compile(r"On hire\s*1"))
    await looks_right(page, "today")


async def take_back(page: Page, firm: Shop, number: str) -> None:
    """A quarter of the tank is missing; the bill is shown before it is taken."""
    await page.goto(f"{DESK}/search?text={number}")
    await page.get_by_role("link", name="Take back").click()
    await page.get_by_label("Odometer").fill("10080")
    await page.get_by_label("Fuel").fill("6")
    await page.get_by_role("button", name="Show the bill").click()
    await expect(page.locator("main")).to_contain_text("Fuel")
    await looks_right(page, "bill")
    await page.get_by_role("button", name="Take back and settle").click()
    await page.locator("dialog[open]").get_by_role("button", name="Take back and settle").click()
    await expect(page.locator("main")).to_contain_text("Bill of the return")
    booking_id = UUID(page.url.rsplit("/", 1)[1])
    async with firm.transaction() as session:
        hire = await hires.of_booking(session, booking_id)
    assert hire is not None
    async with firm.transaction() as session:  # what the worker does within the second
        await paying.settle(session, hire.id)


async def give_back_what_is_left(page: Page) -> None:
    """What the deposit was too much goes back over the counter."""
    await page.reload()
    await page.get_by_label("Reason").fill("Rest of the deposit")
    await page.get_by_role("button", name=re.compile("Given back")).click()
    await expect(page.locator("main")).to_contain_text("Closed")
    await looks_right(page, "closed")


async def find(page: Page) -> None:
    """By a part of the name, without its accents."""
    await page.goto(f"{DESK}/search")
    await page.get_by_role("searchbox").fill("brandao")
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_contain_text("Ida Brandão")


async def count_drawer(page: Page) -> None:
    """What should be there is there."""
    await page.goto(f"{DESK}/cash")
    await looks_right(page, "drawer")
    text = await page.locator("main").inner_text()
    expected = re.search(r"Should be there\s+€([\d,.]+)", text)
    assert expected is not None, text
    await page.get_by_label("Counted").fill(expected[1].replace(",", ""))
    await page.get_by_role("button", name="Close the cash desk").click()
    await expect(page.locator("main")).to_contain_text("Counted before")
    await expect(page.locator("main")).to_contain_text("Open the cash desk")
