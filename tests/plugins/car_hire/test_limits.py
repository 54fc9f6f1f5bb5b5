"""Length and lead time, by class and season: told at every door, and what would do instead."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import select

from atrium.testing.site import Site
from core.audit.models import AuditEntry
from core.permissions import Role
from plugins.car_hire.models import Quote
from plugins.car_hire.schemas import QuoteInput
from plugins.car_hire.services import pricing, quotes, self_service
from plugins.car_hire.services.limits import OutsideLimits
from tests.plugins.car_hire.shop import Shop, class_prices, house_rules, publish
from tests.plugins.car_hire.test_pages import walls

NOW = datetime(2027, 3, 20, 9, 40, tzinfo=UTC)
SUMMER = pricing.SeasonDates(
    code="summer", texts={"en": "Summer"}, first=date(2027, 3, 27), last=date(2027, 9, 30)
)


def _found(*limits: pricing.Limit, starts: datetime, days: float) -> list[pricing.Broken]:
    ends = starts + timedelta(days=days)
    charged = pricing.days(starts, ends, 60)
    house = pricing.HouseRules(limits=limits, seasons=(SUMMER,))
    given = {"days": charged, "now": NOW, "zone": "Europe/Lisbon"}
    return list(pricing.broken(house, "a", starts, ends, **given))  # type: ignore[arg-type]


def test_the_strictest_of_those_that_go_with_a_hire_counts() -> None:
    """Of its class and of its season, by the day of the pick-up, and of no other."""
    general, summer = pricing.Limit(days_from=2), pricing.Limit(days_from=5, season="summer")
    other = pricing.Limit(days_from=9, class_id="b")
    before = datetime(2027, 3, 26, 10, tzinfo=UTC)
    assert not _found(general, summer, other, starts=before, days=2)
    (broken,) = _found(general, summer, other, starts=before + timedelta(days=1), days=4)
    assert (broken.kind, broken.limit.days_from, broken.season) == ("shorter", 5, SUMMER)


def test_what_would_do_is_at_the_same_time_of_day_whatever_clocks_do() -> None:
    """Five days from the day before clocks are set forward end when they began, by the clock."""
    starts = datetime(2027, 3, 27, 10, tzinfo=UTC)
    found = _found(pricing.Limit(days_from=5), starts=starts, days=1)
    near = pricing.nearest(found)
    assert near == (starts, datetime(2027, 4, 1, 9, tzinfo=UTC))
    assert pricing.days(*near, 60) == 5


def test_soon_and_short_are_mended_together() -> None:
    """The nearest dates keep every limit; where bookings are not open yet, there are none."""
    starts = NOW + timedelta(hours=1)
    limits = (pricing.Limit(lead_hours=24), pricing.Limit(days_from=3, days_to=7))
    found = _found(*limits, starts=starts, days=1)
    assert {each.kind for each in found} == {"shorter", "late"}
    begins, ends = pricing.nearest(found) or (NOW, NOW)
    assert begins == datetime(2027, 3, 21, 10, tzinfo=UTC)
    assert not _found(*limits, starts=begins, days=(ends - begins) / timedelta(days=1))
    early = _found(pricing.Limit(lead_days=30), starts=NOW + timedelta(days=31), days=2)
    assert [each.kind for each in early] == ["early"]
    assert pricing.nearest(early) is None


@pytest.fixture
async def strict(site: Site) -> Shop:
    """A business of its own that hires for three to six days."""
    made = await Shop.open(site.world.databases, await site.world.provision())
    rules = house_rules(limits=(pricing.Limit(days_from=3, days_to=6),))
    async with made.transaction() as session:
        await publish(session, {made.vehicle_class.id: class_prices()}, rules)
    return made


async def test_customers_are_held_to_limits_and_the_desk_says_why_not(
    site: Site, strict: Shop
) -> None:
    """The search shows the class with why and where to; the quote is refused on the site and by
    the API, whatever reason is sent; the desk books with one, which is noted."""
    asked = walls(strict, hours=47)
    async with site.visitor(strict.tenant) as client:
        page = unescape((await client.get("/car-hire", params=asked)).text)
        assert "is hired for 3 days or more" in page
        assert "Show dates that do" in page
        body = {"class_id": str(strict.vehicle_class.id), **asked, "beyond": "a friend"}
        refused = await client.post("/api/v1/car-hire/quotes", json=body)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "ends_at"
        wanted = asked | {"class_id": body["class_id"]}
        (offer,) = (await client.get("/api/v1/car-hire/offers", params=wanted)).json()["items"]
        again = {key: offer["nearest"][key] for key in ("starts_at", "ends_at")}
        assert (await client.post("/api/v1/car-hire/quotes", json=body | again)).status_code == 201
        back = await client.post("/car-hire/quotes", data=body)
        assert "is hired for 3 days" in unescape((await client.get(back.headers["location"])).text)
    async with await site.person(strict.tenant, Role.STAFF) as desk:
        booking = {"class_id": body["class_id"], "customer_id": str(strict.customer.id), **asked}
        asks = await desk.post("/car-hire/desk/bookings/new", data=booking)
        assert asks.status_code == 422
        assert 'name="beyond"' in asks.text
        made = await desk.post(
            "/car-hire/desk/bookings/new", data=booking | {"beyond": "Regular customer"}
        )
        assert "Booked beyond the limits" in (await desk.get(made.headers["location"])).text
    async with strict.transaction() as session:
        noted = select(AuditEntry).where(AuditEntry.action == "car_hire.limits_set_aside")
        (entry,) = (await session.scalars(noted)).all()
        assert entry.subject_id == str(await session.scalar(select(Quote.id).where(
            Quote.ends_at - Quote.starts_at < timedelta(days=2, hours=1))))  # fmt: skip
        assert "Regular customer" in str(entry.detail)


async def test_a_move_is_held_to_what_it_comes_nearer_to(strict: Shop) -> None:
    """A hire that was let through too short may grow and not shrink by its customer's hand."""
    starts_at = strict.now + timedelta(hours=72)
    given = {"class_id": strict.vehicle_class.id, "starts_at": starts_at}
    async with strict.transaction() as session:
        wanted = QuoteInput(ends_at=starts_at + timedelta(hours=36), **given)
        quote = await quotes.make(session, wanted, "They moved house")
    booking = await strict.place(quote)
    async with strict.transaction() as session:
        longer = starts_at + timedelta(hours=47)
        await self_service.preview(session, booking.id, starts_at, longer)
        shorter, most = starts_at + timedelta(hours=20), starts_at + timedelta(days=8)
        with pytest.raises(OutsideLimits, match="3 days or more"):
            await self_service.preview(session, booking.id, starts_at, shorter)
        with pytest.raises(OutsideLimits, match="6 days at most"):
            await self_service.preview(session, booking.id, starts_at, most)


async def test_the_owner_says_how_long(site: Site, strict: Shop) -> None:
    """A row of the list's rules; one that limits nothing, or a season there is not, is refused."""
    async with await site.person(strict.tenant, Role.OWNER) as owner:
        begun = await owner.post("/car-hire/desk/prices")
        page = f"{begun.headers['location']}/rules"
        shown = (await owner.get(page)).text
        assert 'name="limits-0-days_from" value="3"' in shown or "limits-0-days_from" in shown
        api = f"/api/v1/car-hire/price-lists/{begun.headers['location'].rpartition('/')[2]}"
        for row, field in (
            ({"season": "summer"}, "limits[0].days_from"),
            ({"season": "summer", "days_from": 2}, "limits[0].season"),
            ({"days_from": 4, "days_to": 2}, "limits[0].days_to"),
        ):
            wrong = await owner.put(api, json={"limits": [row]})
            assert wrong.json()["errors"][0]["field"] == field
