"""Check-out and check-in on a telephone, in Chromium: quick, and nothing is lost without a net."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO

import pytest
from PIL import Image, ImageDraw
from playwright.async_api import Browser, Locator, Page, expect
from sqlalchemy import func, select

from atrium.testing.browser import axe
from atrium.testing.site import Site
from core.auth.authority import LOCAL_COOKIE
from core.permissions import Role
from plugins.car_hire.models import Booking, InspectionPicture
from plugins.car_hire.models.zones import VIEWS
from plugins.car_hire.services import hires
from plugins.car_hire.services.inspections import drafts, looking, marks
from tests.attack.processes import Web, web
from tests.plugins.car_hire.shop import Shop

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def server(site: Site, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Web]:
    """A web process for the world of this run."""
    async with web(site.world.settings, tmp_path_factory.mktemp("web") / "web.log") as running:
        yield running


@asynccontextmanager
async def window(browser: Browser, server: Web, site: Site, shop: Shop) -> AsyncIterator[Page]:
    """A clerk's telephone; no script may fail on it."""
    user_id = await site.enrol(shop.tenant, Role.STAFF)
    async with shop.transaction() as session:
        token = await site.sessions.begin(session, user_id)
    base = f"http://{shop.tenant.slug}.localhost:{server.port}"
    context = await browser.new_context(
        base_url=base,
        viewport={"width": 360, "height": 740},
        has_touch=True,
        bypass_csp=True,
        locale="en-GB",
    )
    await context.add_cookies([{"name": LOCAL_COOKIE, "value": token, "url": base}])
    page = await context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    await context.close()
    assert broken == []


@dataclass
class Hand:
    """Does what a clerk does, and counts it."""

    page: Page
    taps: int = 0
    typed: list[str] = field(default_factory=list)

    async def tap(self, what: Locator) -> None:
        self.taps += 1
        await what.click()

    async def type(self, what: Locator, text: str) -> None:
        self.typed.append(text)
        await what.fill(text)

    async def photograph(self, view: str) -> None:
        """Opening the camera and its shutter are two taps."""
        self.taps += 2
        tile = self.page.locator(f'form[data-view="{view}"]')
        await tile.locator("input[type=file]").set_input_files(
            {"name": f"{view}.jpg", "mimeType": "image/jpeg", "buffer": snapshot(view)}
        )
        await expect(tile.locator(".ch-shot-picture img")).to_be_visible()

    async def sign(self, canvas: Locator) -> None:
        self.taps += 1
        await canvas.scroll_into_view_if_needed()
        box = await canvas.bounding_box()
        assert box is not None
        mouse = self.page.mouse
        await mouse.move(box["x"] + 40, box["y"] + 50)
        await mouse.down()
        for step in range(12):
            await mouse.move(box["x"] + 40 + 15 * step, box["y"] + 30 + 30 * (step % 2))
        await mouse.up()


def snapshot(view: str) -> bytes:
    """What a telephone's camera takes, in size: 12 million pixels."""
    picture = Image.new("RGB", (4000, 3000), "#5b6b7b")
    drawing = ImageDraw.Draw(picture)
    drawing.rounded_rectangle((500, 1200, 3500, 2300), 300, fill="#2456a6")
    drawing.text((1500, 400), view, fill="white", font_size=300)
    out = BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


async def looks_right(page: Page) -> None:
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), page.url
    assert await axe(page) == [], page.url


async def test_a_check_out_goes_on_without_a_connection(
    site: Site, server: Web, browser: Browser
) -> None:
    """Half of it is done in a garage without a net: everything is there once, and the keys go.

    A clerk needs 30 taps and no typed field but the odometer's, well within 90 seconds.
    """
    shop = await Shop.open(site.world.databases, site.world.acme)
    booking = await shop.confirmed()
    async with window(browser, server, site, shop) as page:
        hand = Hand(page)
        await page.goto(f"/car-hire/desk/bookings/{booking.id}")
        await hand.tap(page.get_by_role("button", name="Check out with photos"))
        await page.wait_for_url("**/inspections/*")
        views = list(VIEWS)
        for view in views[:3]:
            await hand.photograph(view)
        await expect(page.locator("[data-state]")).to_have_text("Saved")

        await page.context.set_offline(True)
        for view in views[3:]:
            await hand.photograph(view)
        await hand.tap(page.locator('a[data-zone="left_front_door"]'))
        dialog = page.locator("dialog[open]")
        await hand.tap(dialog.get_by_text("Scratch", exact=True))
        await looks_right(page)
        await hand.tap(dialog.get_by_role("button", name="Mark", exact=True))
        await expect(page.locator("[data-new] li")).to_contain_text("Front door, left")
        await hand.type(page.get_by_label("Odometer"), "10042")
        await hand.tap(page.get_by_label("I have seen the driving licence"))
        await hand.sign(page.locator('ch-signature[data-view="customer_signature"] canvas'))
        await expect(page.locator("[data-state]")).to_contain_text("No connection")
        await hand.tap(page.get_by_role("button", name="Signed, go on"))
        await expect(page.locator(".ch-bar [data-count]")).to_have_text("8")
        assert "/inspections/" in page.url, "it must not leave before all is sent"
        await looks_right(page)

        await page.context.set_offline(False)
        await expect(page.locator("[data-state]")).to_have_text("Saved", timeout=30_000)
        await page.get_by_role("button", name="Signed, go on").click()
        await page.wait_for_url("**/bookings/*")
    assert hand.taps <= 30
    assert hand.typed == ["10042"]
    async with shop.transaction() as session:
        hire = await hires.of_booking(session, booking.id)
        assert hire is not None
        assert (hire.state, hire.odometer_out) == ("awaiting_deposit", 10_042)
        found = await session.get_one(Booking, booking.id)
        (look,) = await looking.of_booking(session, found.id)
        assert look.taken == 8
        assert look.signatures[0].taken is not None
        assert [each.damage.zone for each in look.new] == ["left_front_door"]
        of_it = InspectionPicture.inspection_id == look.inspection.id
        count = select(func.count()).select_from(InspectionPicture).where(of_it)
        assert await session.scalar(count) == 9, "nothing is there twice"


async def test_what_was_not_sent_waits_for_the_next_visit(
    site: Site, server: Web, browser: Browser
) -> None:
    """The page is closed in the garage: opened again, it shows and sends what it kept; what a
    colleague typed meanwhile is joined or asked about."""
    shop = await Shop.open(site.world.databases, site.world.acme)
    booking = await shop.confirmed()
    async with shop.transaction() as session:
        draft = await drafts.begin(session, booking.id)
    async with (
        window(browser, server, site, shop) as page,
        window(browser, server, site, shop) as other,
    ):
        hand = Hand(page)
        for each in (page, other):
            await each.goto(f"/car-hire/desk/inspections/{draft.id}")
        await page.context.set_offline(True)
        await hand.photograph("front")
        await hand.tap(page.locator('a[data-zone="roof"]'))
        dialog = page.locator("dialog[open]")
        await hand.tap(dialog.get_by_text("Dent", exact=True))
        await hand.tap(dialog.get_by_role("button", name="Mark", exact=True))
        await hand.type(page.get_by_label("Odometer"), "10100")
        await expect(page.locator("[data-state]")).to_contain_text("Kept on this device: 3")
        await page.close()

        await other.get_by_label("Odometer").fill("10111")
        await other.get_by_label("I have seen the driving licence").check()
        await expect(other.locator("[data-state]")).to_have_text("Saved")

        again = await page.context.new_page()
        await page.context.set_offline(False)
        await again.goto(f"/car-hire/desk/inspections/{draft.id}")
        await expect(again.locator("[data-new] li")).to_contain_text("Roof")
        await expect(again.locator(".ch-bar [data-count]")).to_have_text("1")
        await expect(again.get_by_role("alert")).to_contain_text("10111")
        await expect(again.get_by_label("Odometer")).to_have_value("10100")
        await again.get_by_role("button", name="Take theirs").click()
        await expect(again.locator("[data-state]")).to_have_text("Saved")
        await expect(again.get_by_label("I have seen the driving licence")).to_be_checked()
    async with shop.transaction() as session:
        kept = await drafts.one(session, draft.id)
        assert (kept.odometer_km, kept.licence_seen) == (10_111, True)
        assert [each.zone for each in await marks.of_inspection(session, draft.id)] == ["roof"]


async def test_a_check_in_shows_both_photos_and_the_bill(
    site: Site, server: Web, browser: Browser
) -> None:
    """A dent is found: marked, photographed, priced by hand, shown on the bill with its proof."""
    shop = await Shop.open(site.world.databases, site.world.acme)
    booking = await shop.confirmed()
    async with shop.transaction() as session:
        await drafts.begin(session, booking.id)
        hire = await hires.prepare(session, shop.readings(booking))
        await hires.depart(session, hire.id)
    async with window(browser, server, site, shop) as page:
        hand = Hand(page)
        await page.goto(f"/car-hire/desk/bookings/{booking.id}")
        await hand.tap(page.get_by_role("button", name="Check in with photos"))
        await page.wait_for_url("**/inspections/*")
        await hand.photograph("rear")
        await hand.tap(page.locator('a[data-zone="rear_bumper"]'))
        dialog = page.locator("dialog[open]")
        await hand.tap(dialog.get_by_text("Dent", exact=True))
        await hand.type(dialog.get_by_label("Price"), "150")
        await dialog.locator("input[type=file]").set_input_files(
            {"name": "d.jpg", "mimeType": "image/jpeg", "buffer": snapshot("dent")}
        )
        await hand.tap(dialog.get_by_role("button", name="Mark", exact=True))
        await hand.type(page.get_by_label("Odometer"), "10300")
        await hand.tap(page.get_by_role("button", name="Show the bill"))
        await expect(page.locator("main")).to_contain_text("Damage: Rear bumper: Dent, Light")
        await looks_right(page)
        await page.get_by_role("button", name="Take back and settle").click()
        sure = page.locator("dialog[open]")
        await sure.get_by_role("button", name="Take back and settle").click()
        await page.wait_for_url("**/bookings/*")
        await expect(page.locator("main")).to_contain_text("Damage: Rear bumper: Dent, Light")
        await looks_right(page)
        await page.get_by_role("link", name="Check-in").click()
        await looks_right(page)
