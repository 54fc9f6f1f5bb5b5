"""A person sends the archive of their business in a browser, and has it once more."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from atrium.testing.browser import axe
from atrium.testing.servers import Postgres
from tests.running import running

pytestmark = pytest.mark.browser

PASSPHRASE = "correct horse battery"


@pytest.fixture(scope="module")
async def portal(postgres: Postgres, redis_url: str) -> AsyncIterator[str]:
    """The portal's address; archives of 3 MB are the largest that it takes."""
    base, _, number = redis_url.rpartition("/")
    async with running(
        postgres, f"{base}/{int(number) + 8}", ATRIUM_IMPORT_BYTES="3000000"
    ) as port:
        yield f"http://localhost:{port}"


@pytest.fixture(params=["with scripts", "without"])
async def page(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A telephone, with scripts and without."""
    context = await browser.new_context(
        viewport={"width": 360, "height": 900},
        bypass_csp=True,
        java_script_enabled=request.param == "with scripts",
        locale="en-GB",
        timezone_id="Europe/Lisbon",
    )
    page = await context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert broken == []
    await context.close()


async def _looks_right(page: Page, scripts: bool) -> None:
    if scripts:
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert await axe(page) == [], page.url


async def test_an_archive_comes_back_as_a_business(
    portal: str, page: Page, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Signed up, exported, sent with its progress, looked at, confirmed, open."""
    scripts = "without" not in request.node.name
    slug = f"wheels-{secrets.token_hex(3)}"
    await page.goto(f"{portal}/sign-up")
    for step in (
        {"#name": "Lisbon Wheels", "#zone": "Europe/Lisbon"},
        {},
        {},
        {"#slug": slug},
        {
            "#name": "Lia Rocha",
            "#email": f"lia@{slug}.example",
            "#password": "correct horse staple",
        },
    ):
        for field, value in step.items():
            await page.fill(field, value)
        if await page.locator("#currency").count():
            await page.select_option("#currency", "EUR")
        if await page.locator('input[value="car_hire"]').count():
            await page.check('input[value="car_hire"]')
        await page.click('button[value="next"]')
    await page.click('form[action="/sign-up/review"] button')
    await expect(page.locator(".po-ready h1")).to_be_visible(timeout=40_000)
    await page.click("a.at-quiet")
    await page.click("a[href$='/upkeep']")
    await page.fill("#export-passphrase", PASSPHRASE)
    await page.click("form[action$='/upkeep/export'] button")
    ready = page.locator("a[href$='/export/download']")
    for _ in range(40):
        if scripts or await ready.count():
            break
        await page.wait_for_timeout(500)
        await page.reload()
    await expect(ready).to_be_visible(timeout=40_000)
    async with page.expect_download() as download:
        await ready.click()
    file = tmp_path / "mine.zip"
    await (await download.value).save_as(file)

    await page.goto(f"{portal}/imports")
    await _looks_right(page, scripts)
    if scripts:
        big = tmp_path / "big.zip"
        big.write_bytes(bytes(3_000_001))
        await page.set_input_files("#archive", big)
        await page.click("#send button[type=submit]")
        await expect(page.locator("[data-said]")).to_contain_text("larger than 3 MB")
    await page.set_input_files("#archive", file)
    await page.click("#send button[type=submit]")
    await expect(page.locator("#slug")).to_be_visible(timeout=40_000)
    await expect(page.locator("main")).to_contain_text("Lisbon Wheels")
    await expect(page.locator("main")).to_contain_text("Car hire")
    await _looks_right(page, scripts)
    await page.fill("#passphrase", "another horse battery")
    await page.click("form[action$='/order'] .btn-primary")
    await expect(page.locator("#passphrase-error")).to_contain_text("does not open")
    await page.fill("#name", "Lisbon Wheels again")
    await page.fill("#slug", f"{slug}-two")
    await page.fill("#passphrase", PASSPHRASE)
    await page.click("form[action$='/order'] .btn-primary")
    await expect(page.locator(".po-ready h1")).to_have_text(
        "Lisbon Wheels again is open", timeout=60_000
    )
    await page.goto(f"{portal}/products/car_hire")
    await expect(page.locator("main")).to_contain_text("Lisbon Wheels again")
    await expect(page.locator(".po-shots img").first).to_be_visible()
    await _looks_right(page, scripts)
