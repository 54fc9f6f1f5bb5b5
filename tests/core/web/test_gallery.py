"""Every component, in Chromium: wide and narrow, light and dark, by axe and by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from playwright.async_api import Browser, expect

from atrium.testing.browser import axe
from atrium.up.process import free_port
from tests.core.web.conftest import Served

pytestmark = pytest.mark.browser


@pytest.fixture
async def address(served: Served) -> AsyncIterator[str]:
    """The gallery, really served."""
    port = free_port()
    server = Server(served, port=port, interface=Interfaces.ASGINL, log_enabled=False)
    serving = asyncio.create_task(server.serve())
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            break
    yield f"http://porto.localhost:{port}"
    server.stop()
    await serving


@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/dev/gallery", "/dev/gallery/desk", "/nothing"])
async def test_every_component_is_accessible_and_fits(
    browser: Browser, address: str, path: str, theme: str, width: int
) -> None:
    """No serious axe finding, and nothing wider than the window."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
        bypass_csp=True,
    )
    page = await context.new_page()
    await page.goto(address + path)
    assert await axe(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await context.close()


async def test_the_page_obeys_its_own_policy(browser: Browser, address: str) -> None:
    """Nothing that the pages load or do is refused by the Content-Security-Policy."""
    page = await browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    await page.goto(f"{address}/dev/gallery/desk")
    await page.get_by_role("button", name="Light or dark").click()
    await page.get_by_role("button", name="Language").click()
    await page.get_by_role("button", name="Open a dialog").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert [each for each in said if "Content Security" in each or "Error" in each] == []
    await page.close()


async def test_a_form_checks_in_the_browser_and_keeps_what_was_typed(
    browser: Browser, address: str
) -> None:
    """The browser stops a wrong form beside its field; the server, one that got through."""
    page = await browser.new_page()
    await page.goto(f"{address}/dev/gallery/desk")
    form = page.locator("form[data-at-form]").first
    await form.get_by_label("Name").fill("Ana")
    await form.get_by_role("button", name="Save").click()
    await expect(form.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    await expect(form.get_by_label("E-mail address")).to_be_focused()
    await expect(page).to_have_url(f"{address}/dev/gallery/desk")
    await form.evaluate("form => { form.noValidate = true }")
    await form.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert").first).to_contain_text("need your attention")
    await expect(page.locator("#name")).to_have_value("Ana")
    await expect(page.locator("#mail-error")).to_contain_text("Please fill this in.")
    await page.close()


async def test_a_dangerous_button_asks_first(browser: Browser, address: str) -> None:
    """Escape keeps everything as it was; nothing has been sent."""
    page = await browser.new_page()
    await page.goto(f"{address}/dev/gallery/desk")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Delete this vehicle?")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert "POST" not in sent
    await page.close()


async def test_the_menu_works_by_keyboard(browser: Browser, address: str) -> None:
    """Arrow down opens it and moves; Escape closes it and gives the focus back."""
    page = await browser.new_page()
    await page.goto(f"{address}/dev/gallery")
    button = page.get_by_role("button", name="Language")
    await button.focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("link", name="English")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(button).to_be_focused()
    await expect(button).to_have_attribute("aria-expanded", "false")
    await page.close()
