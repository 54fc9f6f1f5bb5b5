"""A person signs a business up in a browser, on the software as it runs."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from atrium.testing.browser import axe
from atrium.testing.servers import Postgres
from tests.running import running

pytestmark = pytest.mark.browser

NEXT = 'button[value="next"]'
SIZES = [pytest.param(1440, marks=pytest.mark.long), 360]  # tests/test_journey.py is wide


@pytest.fixture(scope="module")
async def portal(postgres: Postgres, redis_url: str) -> AsyncIterator[str]:
    """The portal's address; Redis is not the one that this test process uses itself."""
    base, _, number = redis_url.rpartition("/")
    async with running(postgres, f"{base}/{int(number) + 8}") as port:
        yield f"http://localhost:{port}"


@pytest.fixture(params=SIZES)
async def page(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A fresh browser in Lisbon, wide or narrow; a script error fails the test."""
    context: BrowserContext = await browser.new_context(
        viewport={"width": request.param, "height": 900},
        bypass_csp=True,
        locale="en-GB",
        timezone_id="Europe/Lisbon",
    )
    page = await context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert broken == []
    await context.close()


async def _looks_right(page: Page) -> None:
    """Nothing sticks out sideways, and axe finds nothing serious."""
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), page.url
    assert await axe(page) == [], page.url


async def test_from_the_front_page_into_ones_own_business(portal: str, page: Page) -> None:
    """Front page, six steps with a mistake in them, live progress, Open, and inside."""
    slug = f"wheels-{secrets.token_hex(3)}"
    await page.goto(portal)
    await _looks_right(page)
    await page.click(".po-hero a[href='/sign-up']")

    await expect(page.locator("#zone")).to_have_value("Europe/Lisbon")
    await expect(page.locator("#currency")).to_have_value("EUR")
    await page.click(NEXT)  # the browser itself asks for the name
    await expect(page.locator("#name-error")).to_be_visible()
    await page.fill("#name", "Lisbon Wheels")
    await page.wait_for_timeout(700)
    await page.reload()
    await expect(page.locator("#name")).to_have_value("Lisbon Wheels")
    await _looks_right(page)
    await page.click(NEXT)

    await page.check('input[value="car_hire"]')
    await _looks_right(page)
    await page.click(NEXT)
    await page.check('input[value="dedicated"]')
    await expect(page.locator(".po-dedicated-note")).to_be_visible()
    await _looks_right(page)
    await page.click(NEXT)

    await page.fill("#slug", "www")
    await expect(page.locator("#availability")).to_contain_text("reserved")
    await _looks_right(page)
    await page.fill("#slug", slug)
    await expect(page.locator("#availability")).to_contain_text("is free")
    await page.click(NEXT)

    await page.fill("#name", "Lia Rocha")
    await page.fill("#email", f"lia@{slug}.example")
    await page.fill("#password", "short")
    await page.click(NEXT)
    await expect(page.locator("#password-error")).to_be_visible()
    await page.fill("#password", "correct horse staple")
    await _looks_right(page)
    await page.click(NEXT)

    await expect(page.locator("h1")).to_have_text("Is everything right?")
    await _looks_right(page)
    await page.dblclick('form[action="/sign-up/review"] button')
    await expect(page.locator(".po-ready h1")).to_have_text("Lisbon Wheels is open", timeout=20_000)
    await _looks_right(page)
    await page.click(".po-ready button")
    await page.wait_for_url(f"http://{slug}.localhost:*/**")
    await page.goto(f"{portal.replace('localhost', f'{slug}.localhost')}/account")
    await expect(page.locator("main")).to_contain_text(f"lia@{slug}.example")

    await page.goto(f"{portal}/businesses")
    await expect(page.locator(".po-business")).to_have_count(1)
    await _looks_right(page)
    await page.click(".po-business h2 a")
    await _looks_right(page)

    await page.click("a[href$='/upkeep']")
    await _looks_right(page)
    await page.fill("#export-passphrase", "correct horse battery")
    await page.click("form[action$='/upkeep/export'] button")
    await expect(page.locator("a[href$='/export/download']")).to_be_visible(timeout=20_000)
    await _looks_right(page)
    async with page.expect_download() as download:
        await page.click("a[href$='/export/download']")
    assert (await download.value).suggested_filename == f"{slug}.zip"
    await page.fill("#maintenance-message", "New cars are coming")
    await page.click("form[action$='/upkeep/maintenance'] button")
    await expect(page.locator(".at-notice")).to_contain_text("Under maintenance")
    await page.fill("#closing-confirm", slug)
    await page.click("form[action$='/upkeep/closing'] button")
    await expect(page.locator(".at-notice")).to_contain_text("deleted for good on")
    await _looks_right(page)
    await page.goto(f"{portal.replace('localhost', f'{slug}.localhost')}/")
    await expect(page.locator("h1")).to_have_text("This business has closed")
    await _looks_right(page)
