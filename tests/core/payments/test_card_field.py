"""A person pays in Chromium: the card element, a decline, 3-D Secure, under the strict policy."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from atrium.testing.browser import axe
from tests.core.payments.conftest import Shop
from tests.core.payments.site import Site
from tests.standin.conftest import free_port

pytestmark = pytest.mark.browser


@pytest.fixture
async def page(shop: Shop, browser: Browser) -> AsyncIterator[Page]:
    """The page that sells, as somebody opened it; no error may reach its console."""
    site = Site(shop, free_port())
    async with site.serving() as address:
        context = await browser.new_context(viewport={"width": 360, "height": 800})
        page = await context.new_page()
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "console",
            lambda said: troubles.append(said.text) if "Content Security" in said.text else None,
        )
        await page.goto(f"{address}/pay")
        yield page
        await context.close()
        assert troubles == []


async def fill(page: Page, number: str) -> None:
    """Type a card into the stand-in's element."""
    await page.get_by_placeholder("number").fill(number)
    for name, value in (("exp_month", "12"), ("exp_year", "34"), ("cvc", "123")):
        await page.get_by_placeholder(name).fill(value)
    await page.get_by_role("button", name="Pay").click()


async def test_a_card_is_taken_and_its_number_never_reaches_us(page: Page, shop: Shop) -> None:
    """The form sends a token; the payment is authorised."""
    sent: list[str] = []
    page.on(
        "request", lambda asked: sent.append(asked.post_data or "") if "/pay" in asked.url else None
    )
    await fill(page, "4242424242424242")
    await expect(page.get_by_role("heading", name="State: authorised")).to_be_visible()
    assert [body.startswith("payment_method=tok_") for body in sent] == [True]
    assert "4242" not in "".join(sent)
    assert len(await shop.at_stripe()) == 1


async def test_a_wrong_number_is_told_beside_the_field(page: Page) -> None:
    """A mistyped number never leaves the page; put right, it pays."""
    await fill(page, "4242424242424241")
    await expect(page.locator("[data-error]")).to_have_text("Your card number is incorrect.")
    await fill(page, "4242424242424242")
    await expect(page.get_by_role("heading", name="State: authorised")).to_be_visible()


async def test_an_empty_card_is_asked_for(page: Page) -> None:
    """Paying without a card says what is missing."""
    await page.get_by_role("button", name="Pay").click()
    await expect(page.locator("[data-error]")).to_have_text("Please enter your card.")


async def test_a_decline_is_told_beside_the_field(page: Page) -> None:
    """The bank's refusal comes back to the same page, which takes another card."""
    await fill(page, "4000000000009995")
    await expect(page.locator("[data-error]")).to_contain_text("insufficient funds")
    await fill(page, "4242424242424242")
    await expect(page.get_by_role("heading", name="State: authorised")).to_be_visible()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("Complete authentication", "authorised"), ("Fail authentication", "could not confirm")],
)
async def test_the_bank_asks(page: Page, answer: str, outcome: str) -> None:
    """3-D Secure: the bank's question is answered on the page, the server finds out the rest."""
    await fill(page, "4000002760003184")
    await page.get_by_role("button", name=answer).click()
    await expect(page.get_by_role("heading", name="State")).to_contain_text(outcome)


async def test_the_page_is_accessible(shop: Shop, browser: Browser) -> None:
    """No serious finding of axe-core on the page with the card field."""
    site = Site(shop, free_port())
    async with site.serving() as address:
        context = await browser.new_context(bypass_csp=True)
        page = await context.new_page()
        await page.goto(f"{address}/pay")
        await page.get_by_placeholder("cvc").wait_for()
        assert await axe(page) == []
        await context.close()
