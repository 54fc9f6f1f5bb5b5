"""Promotion codes: judged, priced as they were, and used as often as the owner said."""

from __future__ import annotations

import asyncio
import re
import secrets
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest

from atrium.testing.site import Site
from core import clock
from core.errors import Invalid
from core.permissions import Role
from plugins.car_hire.models import Booking, Promotion, Quote
from plugins.car_hire.routes.choosing import CODES
from plugins.car_hire.schemas_promotions import NewPromotionInput, PriceChoices, PromotionInput
from plugins.car_hire.services import bookings, changing, customers, quotes
from plugins.car_hire.services.extras import quoting
from plugins.car_hire.services.pricing import rules
from plugins.car_hire.services.promotions import keeping, using
from plugins.car_hire.services.promotions.discounting import UnknownCode
from plugins.car_hire.services.promotions.using import UsedByYou, UsedUp
from tests.plugins.car_hire.shop import Shop, customer_input


async def promotion(shop: Shop, **changes: Any) -> Promotion:
    values: dict[str, Any] = {
        "code": f"T-{secrets.token_hex(4)}",
        "name_en": "Test",
        "percent": Decimal(10),
    }
    if "amount" in changes:
        values.pop("percent")
    async with shop.transaction() as session:
        return await keeping.add(session, NewPromotionInput(**(values | changes)))


async def used(shop: Shop, found: Promotion) -> int:
    async with shop.transaction() as session:
        return (await using.counts(session, [found.id])).get(found.id, 0)


async def taken_off(shop: Shop, quote_id: Any) -> Decimal:
    async with shop.transaction() as session:
        return sum(
            (
                -each.net
                for each in await quotes.lines(session, quote_id)
                if each.rule == rules.DISCOUNT
            ),
            Decimal(0),
        )


async def test_the_last_use_goes_to_one_of_thirty_two(shop: Shop) -> None:
    """Thirty-two bookings at once with a code of two uses, one of them gone, each with a car and
    a customer of its own: one gets it, all others hear so and have neither car nor use."""
    many = await Shop.open(shop.databases, shop.tenant, cars=33)
    found = await promotion(many, most_uses=2)
    made = [await many.quote(promotion=found.code) for _ in range(33)]
    async with many.transaction() as session:
        people = [await customers.add(session, customer_input()) for _ in made]
    await many.place(made[0])

    async def book(quote: Quote, n: int) -> Booking:
        async with many.transaction() as session:
            return await bookings.place(session, quote, people[n], "site")

    asked = (book(quote, n) for n, quote in enumerate(made[1:]))
    results = await asyncio.gather(*asked, return_exceptions=True)
    booked = [each for each in results if isinstance(each, Booking)]
    refused = [each for each in results if isinstance(each, UsedUp)]
    assert (len(booked), len(refused)) == (1, 31)
    assert refused[0].errors[0].field == "promotion"
    assert await used(many, found) == 2
    with pytest.raises(UsedUp):
        await many.quote(promotion=found.code)


@pytest.mark.parametrize("step", ["cancel", "expire"])
async def test_a_use_is_free_again(shop: Shop, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled or not paid in time, a booking gives its use back; one that nobody came for does
    not."""
    found = await promotion(shop, most_uses=1)
    booking = await shop.book(promotion=found.code)
    with pytest.raises(UsedUp):
        await shop.quote(promotion=found.code)
    later = clock.now() + timedelta(hours=1)
    if step == "expire":
        monkeypatch.setattr(clock, "now", lambda: later)
    async with shop.transaction() as session:
        await getattr(bookings, step)(session, booking.id)
    assert await used(shop, found) == 0
    monkeypatch.undo()
    again = await shop.confirmed(starts_in=0, promotion=found.code)
    async with shop.transaction() as session:
        await bookings.no_show(session, again.id)
    assert await used(shop, found) == 1


async def test_money_that_comes_late_finds_the_code_used_up(shop: Shop) -> None:
    """A booking that expired and is paid after all is not revived at a price that another has
    taken since; where the code is left, it is counted again."""
    found = await promotion(shop, most_uses=1)
    late = await shop.book(promotion=found.code)
    async with shop.transaction() as session:
        booking = await bookings.locked(session, late.id)
        await bookings.move(session, booking, "expired")
    other = await shop.book(promotion=found.code)
    async with shop.transaction() as session:
        assert not await bookings.confirm(session, await bookings.locked(session, late.id))
    async with shop.transaction() as session:
        await bookings.cancel(session, other.id)
    async with shop.transaction() as session:
        assert await bookings.confirm(session, await bookings.locked(session, late.id))
    assert await used(shop, found) == 1


async def test_each_customer_has_so_many(shop: Shop) -> None:
    """A second booking of one customer is refused, another customer's is not."""
    found = await promotion(shop, most_each=1)
    await shop.book(promotion=found.code)
    quote = await shop.quote(promotion=found.code)
    with pytest.raises(UsedByYou):
        await shop.place(quote)
    async with shop.transaction() as session:
        other = await customers.add(session, customer_input())
        await bookings.place(session, quote, other, "site")
    assert await used(shop, found) == 2


async def test_a_quote_keeps_its_code_and_a_booking_follows(shop: Shop) -> None:
    """What the owner changes is nothing to a quote that was made; the booking that is moved keeps
    the code where it fits, loses what it takes off where it does not, and has it again there."""
    today = clock.local(clock.now(), shop.tenant.zone).date()
    found = await promotion(
        shop, percent=Decimal(50), days_from=2, hired_to=today + timedelta(days=20)
    )
    quote = await shop.quote(starts_in=48, hours=48, promotion=f" {found.code.lower()} ")
    booking = await shop.place(quote)
    half = Decimal("39.90")  # of two days
    assert await taken_off(shop, quote.id) == half
    async with shop.transaction() as session:
        worse = PromotionInput(name_en="Test", percent=Decimal(1), active=False)
        await keeping.change(session, found.id, worse, found.version)
    with pytest.raises(Invalid, match="no longer be used"):
        await shop.quote(promotion=found.code)
    for hours, off in ((24, Decimal(0)), (96, 2 * half), (24 * 30, Decimal(0)), (48, half)):
        async with shop.transaction() as session:
            ends_at = booking.starts_at + timedelta(hours=hours)
            made = await changing.change_dates(session, booking.id, booking.starts_at, ends_at)
        assert await taken_off(shop, made.quote_id) == off
        assert await used(shop, found) == 1
    async with shop.transaction() as session:
        kept = await quotes.one(session, quote.id)
        assert quotes.again(kept).gross.amount == kept.gross


async def test_an_upgrade_loses_what_is_not_for_its_class(shop: Shop) -> None:
    """A code of one class takes nothing off another."""
    other = await Shop.open(shop.databases, shop.tenant, cars=1)
    found = await promotion(shop, amount=Decimal(10), class_ids=[shop.vehicle_class.id])
    with pytest.raises(Invalid, match="does not go with this class"):
        await other.quote(promotion=found.code)
    booking = await shop.confirmed(promotion=found.code)
    assert await taken_off(shop, booking.quote_id) == 10
    async with shop.transaction() as session:
        made = await changing.upgrade(session, booking.id, other.vehicle_class.id)
    assert await taken_off(shop, made.quote_id) == 0


async def test_a_code_says_when_it_counts(shop: Shop) -> None:
    """Over, not begun, for longer hires, for other dates: each says what would do."""
    now = clock.now()
    today = clock.local(now, shop.tenant.zone).date()
    week = timedelta(days=7)
    for changes, words in (
        ({"booked_to": now - week}, "was good for bookings until"),
        ({"booked_from": now + week}, "counts for bookings from"),
        ({"days_from": 5}, "hires of 5 days or more"),
        ({"hired_from": today + week}, "hires from"),
        ({"hired_from": today - week, "hired_to": today}, "hires between"),
        ({"active": False}, "no longer be used"),
    ):
        found = await promotion(shop, **changes)
        with pytest.raises(Invalid, match=words) as refused:
            await shop.quote(promotion=found.code)
        assert refused.value.errors[0].field == "promotion"
    with pytest.raises(UnknownCode):
        await shop.quote(promotion="NO-SUCH-CODE")


async def test_extras_of_a_booking_leave_its_code_alone(shop: Shop) -> None:
    """Another choice of extras for a booking keeps what the code takes off; for a quote, the code
    goes when the field is emptied."""
    seat = await shop.extra()
    found = await promotion(shop)
    quote = await shop.quote(promotion=found.code)
    async with shop.transaction() as session:
        without = await quoting.choose(session, quote.id, PriceChoices())
        assert without.gross > quote.gross
        again = await quoting.choose(session, quote.id, PriceChoices(promotion=found.code))
        assert again.gross == quote.gross
    booking = await shop.place(await shop.quote(promotion=found.code))
    before = await taken_off(shop, booking.quote_id)
    async with shop.transaction() as session:
        made = await quoting.change(session, booking.id, PriceChoices(extras={seat: 1}))
    assert await taken_off(shop, made.quote_id) == before


async def test_a_customer_types_a_code(site: Site, shop: Shop) -> None:
    """On the page of the quote the code becomes a line; a wrong one is told beside its field and
    kept there."""
    found = await promotion(shop)
    quote = await shop.quote()
    here = f"/car-hire/quotes/{quote.id}/choices"
    async with site.visitor(shop.tenant) as client:
        shown = await client.post(here, data={"promotion": found.code})
        wrong = await client.post(here, data={"promotion": "SOMMER"})
    assert shown.status_code == 200
    assert "Test (10%)" in shown.text
    assert wrong.status_code == 422
    assert "There is no such code" in wrong.text
    assert 'value="SOMMER"' in wrong.text


async def test_guessing_ends(site: Site, shop: Shop, believed: None) -> None:
    """Codes that nobody keeps are counted, whichever door they are tried at; right ones are not,
    and after too many wrong ones not even a right one is looked at."""
    found = await promotion(shop)
    quote = await shop.quote()
    here = f"/car-hire/quotes/{quote.id}/choices"
    origin = {"x-forwarded-for": "192.0.2.77"}
    async with site.visitor(shop.tenant, **origin) as client:
        for _ in range(CODES.attempts + 2):
            right = await client.post(here, data={"promotion": found.code})
            assert right.status_code == 200
        for n in range(CODES.attempts):
            answer = await client.post(here, data={"promotion": f"GUESS-{n}"})
            assert answer.status_code == 422
        stopped = await client.post(here, data={"promotion": found.code})
        assert stopped.status_code == 429
        assert "Too many attempts" in stopped.text
        body = {"class_id": str(shop.vehicle_class.id), "promotion": "GUESS-AGAIN"}
        times = {"starts_at": quote.starts_at.isoformat(), "ends_at": quote.ends_at.isoformat()}
        program = await client.post("/api/v1/car-hire/quotes", json=body | times)
        assert program.status_code == 429


async def test_the_owner_keeps_codes(site: Site, shop: Shop) -> None:
    """Added once however it is spelt, shown with its uses and who made them, retired."""
    code = f"page-{secrets.token_hex(3)}"
    given = {"code": code, "name_en": "On a page", "percent": "12.5", "most_uses": "9"}
    async with await site.person(shop.tenant, Role.OWNER) as owner:
        added = await owner.post("/car-hire/desk/promotions/new", data=given | {"active": "on"})
        here = added.headers["location"]
        again = await owner.post("/car-hire/desk/promotions/new", data=given)
        assert "There is a promotion of this code already" in again.text
        booking = await shop.book(promotion=code)
        page = (await owner.get(here)).text
        assert booking.number in page
        assert "1 of 9 uses are taken" in page
        retired = {"name_en": "On a page", "percent": "12.5", "version": "1"}
        assert (await owner.post(here, data=retired)).headers["location"] == here
        late = await owner.post(here, data=retired)
        assert late.status_code == 412
        listed = await owner.get(f"/car-hire/desk/promotions?text={code}&status=retired")
        assert code.upper() in listed.text
        api = f"/api/v1/car-hire/promotions/{here.rpartition('/')[2]}"
        told = (await owner.get(api)).json()
        assert (told["uses"], told["active"], told["percent"]) == (1, False, "12.5000")
    async with await site.person(shop.tenant, Role.STAFF) as desk:
        assert (await desk.get("/car-hire/desk/promotions")).status_code == 403
    async with await site.person(site.world.bravo, Role.OWNER) as other:
        assert (await other.get(here)).status_code == 404


async def test_the_glance_has_extras_and_a_code_in_every_price(site: Site) -> None:
    """What somebody at the counter takes is in the price of each class that it goes with; of
    another is said why not; the link to the booking keeps what was chosen."""
    tenant = await site.world.provision()
    one = await Shop.open(site.world.databases, tenant, cars=1)
    other = await Shop.open(site.world.databases, tenant, cars=1)
    seat = await one.extra(price=Decimal(100), per="hire")
    found = await promotion(one, amount=Decimal(10))
    async with await site.person(tenant, Role.STAFF) as desk:
        ends_at = (clock.now() + timedelta(hours=40)).isoformat()
        asked = {"promotion": found.code, f"extras.{seat}": "1", "ends_at": ends_at}
        page = (await desk.get("/car-hire/desk/walk-in", params=asked)).text
        assert "This does not go with the class" in page
        # Two days begun at 39.90, a seat at 100 and 10 off, with 23 % of tax.
        assert "€208.85" in page
        assert "€98.15" in page
        link = re.search(r'href="(/car-hire/desk/bookings/new[^"]+extras[^"]+)"', page)
        assert link is not None
        booking = (await desk.get(unescape(link[1]))).text
        assert f'value="{found.code}"' in booking
        assert '<option value="1" selected>' in booking
        wrong = await desk.get("/car-hire/desk/walk-in", params={"promotion": "NO-SUCH"})
        assert wrong.status_code == 422
        assert "There is no such code" in wrong.text
    assert other.vehicle_class.name in page
