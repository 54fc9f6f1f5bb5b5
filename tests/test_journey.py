"""The main job, as people do it: a business signs up, a customer hires its only car.

On the software as it runs: web server, worker and relay in processes of their own, the stand-in
for Stripe beside them. The firm works at a desk, 1440 px wide; the customer holds a telephone.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from atrium.testing.browser import axe
from atrium.testing.servers import Postgres
from atrium.up.process import free_port
from bench.stage import process
from core import clock
from tests.running import running

pytestmark = pytest.mark.browser

PASSWORD = "correct horse staple"
NEXT = 'button[value="next"]'


@dataclass(frozen=True, slots=True)
class Firm:
    """The portal's address, and the business that is signed up there."""

    portal: str
    slug: str

    @property
    def site(self) -> str:
        """The address of the business."""
        return self.portal.replace("localhost", f"{self.slug}.localhost")


@pytest.fixture
async def firm(postgres: Postgres, redis_url: str, tmp_path: Path) -> AsyncIterator[Firm]:
    """Everything runs; nobody has signed up yet."""
    base, _, number = redis_url.rpartition("/")
    stripe = free_port()
    arguments = ["-m", "standin.stripe", "--port", str(stripe), "--state-dir", str(tmp_path)]
    async with (
        process(arguments, os.environ, stripe),
        running(
            postgres,
            f"{base}/{int(number) + 8}",
            ATRIUM_STRIPE_API_BASE=f"http://127.0.0.1:{stripe}",
            ATRIUM_STRIPE_JS_URL=f"http://localhost:{stripe}/js.stripe.com/v3/",
        ) as port,
    ):
        yield Firm(f"http://localhost:{port}", f"wheels-{secrets.token_hex(3)}")


@pytest.fixture
async def desk(browser: Browser) -> AsyncIterator[Page]:
    """The firm's browser."""
    async for page in _page(browser, 1440, 900):
        yield page


@pytest.fixture
async def phone(browser: Browser) -> AsyncIterator[Page]:
    """The customer's browser."""
    async for page in _page(browser, 360, 740):
        yield page


async def _page(browser: Browser, width: int, height: int) -> AsyncIterator[Page]:
    context: BrowserContext = await browser.new_context(
        viewport={"width": width, "height": height},
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


async def looks_right(page: Page) -> None:
    """Nothing sticks out sideways, and axe finds nothing serious."""
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), page.url
    assert await axe(page) == [], page.url


async def test_a_business_signs_up_and_a_customer_hires_its_car(
    firm: Firm, desk: Page, phone: Page
) -> None:
    """Sign up, add a car, book and pay, hand over, take back, receipt: each by hand."""
    await sign_up(desk, firm)
    await connect_stripe(desk, firm)
    await add_car(desk, firm)
    await book_and_pay(phone, firm)
    await hand_over(desk, firm)
    await take_back(desk)
    await phone.reload()
    await expect(phone.locator("main")).to_contain_text("Receipt for the return")
    await looks_right(phone)
    await read_mail(desk, firm)


async def sign_up(page: Page, firm: Firm) -> None:
    """Through the wizard into the business."""
    await page.goto(f"{firm.portal}/sign-up")
    await page.fill("#name", "Lisbon Wheels")
    await page.click(NEXT)
    await page.check('input[value="car_hire"]')
    await page.click(NEXT)
    await page.check('input[value="pooled"]')
    await page.click(NEXT)
    await page.fill("#slug", firm.slug)
    await expect(page.locator("#availability")).to_contain_text("is free")
    await page.click(NEXT)
    await page.fill("#name", "Lia Rocha")
    await page.fill("#email", f"lia@{firm.slug}.example")
    await page.fill("#password", PASSWORD)
    await page.click(NEXT)
    await page.click('form[action="/sign-up/review"] button')
    await expect(page.locator(".po-ready h1")).to_have_text("Lisbon Wheels is open", timeout=30_000)
    await page.click(".po-ready button")
    await page.wait_for_url(f"{firm.site}/car-hire/desk")
    await looks_right(page)


async def connect_stripe(page: Page, firm: Firm) -> None:
    """The firm's own keys, checked with Stripe as they are saved."""
    await page.goto(f"{firm.site}/settings/payments")
    await page.get_by_label("Publishable key").fill(f"pk_test_{firm.slug.replace('-', '')}")
    await page.get_by_label("Secret key").fill(f"sk_test_{firm.slug.replace('-', '')}")
    await page.get_by_role("button", name="Check and save").click()
    await expect(page.locator("main")).to_contain_text("Registered")
    await looks_right(page)


async def add_car(page: Page, firm: Firm) -> None:
    """A mistake is told beside its field, and the rest stays as typed."""
    await page.goto(f"{firm.site}/car-hire/desk/fleet")
    await page.get_by_role("link", name="Add a car").first.click()
    await page.get_by_label("Class").select_option(label="Economy")
    for label, value in (
        ("Make", "Renault"),
        ("Model", "Clio"),
        ("Year", "2024"),
        ("Colour", "blue"),
        ("Plate", "LX-20-26"),
        ("VIN", "not a vin"),
        ("Odometer", "18250"),
        ("Fuel", "8"),
    ):
        await page.get_by_label(label, exact=False).first.fill(value)
    await looks_right(page)
    await page.locator("main form button[type=submit]").click()
    await expect(page.locator("#vin-error")).to_be_visible()
    await expect(page.get_by_label("Plate")).to_have_value("LX-20-26")
    await page.get_by_label("VIN").fill("")
    await page.locator("main form button[type=submit]").click()
    await page.goto(f"{firm.site}/car-hire/desk/fleet")
    await expect(page.locator("main")).to_contain_text("LX-20-26")
    await looks_right(page)


async def book_and_pay(page: Page, firm: Firm) -> None:
    """From the firm's front page to a paid booking that begins within the hour."""
    await page.goto(firm.site)
    starts = clock.local(clock.now(), "Europe/Lisbon") + timedelta(minutes=20)
    await page.get_by_label("Pick-up").fill(f"{starts:%Y-%m-%dT%H:%M}")
    await page.get_by_label("Return").fill(f"{starts + timedelta(days=2):%Y-%m-%dT%H:%M}")
    await page.get_by_role("button", name="Show cars and prices").click()
    await looks_right(page)
    await page.get_by_role("button", name="Choose Economy").click()
    await looks_right(page)
    await page.get_by_role("link", name="Register").click()
    await page.get_by_label("Name").fill("Tomás Faria")
    await page.get_by_label("E-mail").fill("tomas.faria@people.example")
    await page.get_by_label("Password", exact=False).first.fill(PASSWORD)
    await looks_right(page)
    await page.locator("main form button[type=submit]").click()
    await page.get_by_label("Driving licence number").fill("L-4471920 8")
    await page.get_by_label("Issued in").select_option("PT")
    await page.get_by_label("Valid until").fill(f"{starts.year + 4}-05-31")
    await page.get_by_label("Date of birth").fill("1990-03-14")
    await page.get_by_role("button", name="Book and go on to pay").click()
    await looks_right(page)
    await card(page)
    await page.get_by_role("button", name=re.compile("Pay")).dblclick()
    await expect(page.locator("main")).to_contain_text("Booked and paid", timeout=20_000)
    await looks_right(page)


async def hand_over(page: Page, firm: Firm) -> None:
    """Licence seen, odometer and fuel read, the deposit reserved on the card."""
    await page.goto(f"{firm.site}/car-hire/desk")
    await page.get_by_role("link", name=re.compile("[A-Z0-9]{4}-[A-Z0-9]{4}")).first.click()
    await page.get_by_label("Odometer").fill("18250")
    await page.get_by_label("Fuel").fill("8")
    await page.locator('input[type="checkbox"][name="licence_seen"]').check()
    await page.get_by_role("button", name="Checked, go on to the deposit").click()
    await card(page)
    await page.get_by_role("button", name=re.compile("Reserve")).click()
    await expect(page.locator("main")).to_contain_text("Take back", timeout=20_000)
    await looks_right(page)


async def take_back(page: Page) -> None:
    """600 km and a quarter of the tank later: the bill is shown before it is taken."""
    await page.get_by_role("link", name="Take back").click()
    await page.get_by_label("Odometer").fill("18850")
    await page.get_by_label("Fuel").fill("6")
    await page.get_by_role("button", name="Show the bill").click()
    await expect(page.locator("main")).to_contain_text("Taken from the deposit")
    await looks_right(page)
    await page.get_by_role("button", name="Take back and settle").click()
    await page.locator("dialog[open]").get_by_role("button", name="Take back and settle").click()
    await expect(page.locator("main")).to_contain_text("Bill of the return", timeout=20_000)
    await looks_right(page)


async def read_mail(page: Page, firm: Firm) -> None:
    """The customer got a confirmation and a receipt."""
    await page.goto(f"{firm.site}/dev/mail")
    for _ in range(40):
        if await page.get_by_text("tomas.faria@people.example").count() >= 2:
            break
        await page.wait_for_timeout(250)
        await page.reload()
    assert await page.get_by_text("tomas.faria@people.example").count() >= 2
    await looks_right(page)


async def card(page: Page) -> None:
    """Type the card that always pays into the stand-in's element."""
    await page.get_by_placeholder("number").fill("4242424242424242")
    for name, value in (("exp_month", "12"), ("exp_year", "34"), ("cvc", "123")):
        await page.get_by_placeholder(name).fill(value)
