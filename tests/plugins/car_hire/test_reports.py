"""The owner's figures agree with hires worked out by hand, and the tables with the page."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import httpx
import pytest
from sqlalchemy import event, update

from atrium.testing.site import Site
from core.errors import Invalid
from core.money import Money
from core.permissions import Role
from plugins.car_hire.models import Booking
from plugins.car_hire.services import reports
from tests.plugins.car_hire.shop import Shop
from tests.plugins.car_hire.test_pages import is_page

FIRST, LAST = date(2031, 3, 29), date(2031, 3, 31)
"""Three days of a year in which nobody else hires; on the second clocks are set forward."""


async def driven(shop: Shop, starts_at: datetime, hours: float, state: str = "closed") -> Booking:
    """A hire as it would have been: its row alone, which is what reports read."""
    booking = await shop.confirmed(starts_in=1, hours=24)
    changed = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=hours)}
    made = {"created_at": starts_at - timedelta(days=3), "state": state}
    async with shop.transaction() as session:
        mine = update(Booking).where(Booking.id == booking.id)
        await session.execute(mine.values(**changed, **made))
    return booking


async def test_the_figures_of_three_days(shop: Shop) -> None:
    """Use is counted within the days, revenue where the hire began, by the tenant's clock."""
    # Lisbon's 30 March has 23 hours, so the three days have 71.
    within = await driven(shop, datetime(2031, 3, 30, 0, 30, tzinfo=UTC), 24)
    across = await driven(shop, datetime(2031, 3, 28, 12, tzinfo=UTC), 24)
    await driven(shop, datetime(2031, 3, 30, 9, tzinfo=UTC), 24, state="cancelled")
    async with shop.transaction() as session:
        asked = reports.range_of(shop.tenant, FIRST, LAST)
        found = await reports.read(session, asked)
    assert (asked.ends - asked.begins) == timedelta(hours=71)
    (mine,) = (each for each in found.classes if each.name == shop.vehicle_class.name)
    assert (mine.cars, mine.hires) == (3, 1)
    assert mine.revenue == Money(within.gross, within.currency)
    assert mine.used == pytest.approx((24 + 12) / (71 * 3))
    assert [each.hires for each in found.days] == [0, 1, 0]
    assert found.total.revenue == mine.revenue
    assert [each.hires for each in found.leads] == [0, 1, 0, 0]
    assert [each.hires for each in found.lengths] == [1, 0, 0, 0, 0]
    assert [each.hires for each in found.channels] == [1, 0, 0]
    assert across.gross == within.gross


async def test_a_range_has_an_end_after_its_beginning_and_a_bound(shop: Shop) -> None:
    """Each fault names its field."""
    for first, last, field in ((LAST, FIRST, "last"), (date(2020, 1, 1), LAST, "first")):
        with pytest.raises(Invalid) as refused:
            reports.range_of(shop.tenant, first, last)
        assert [each.field for each in refused.value.errors] == [field]


async def test_the_number_of_statements_does_not_grow(shop: Shop) -> None:
    """A year is read by as many as a day."""
    counts = []
    for days in (1, 365):
        asked = reports.range_of(shop.tenant, LAST - timedelta(days=days - 1), LAST)
        async with shop.transaction() as session:
            connection = (await session.connection()).sync_connection
            asked_for: list[str] = []

            def note(_c: object, _cu: object, statement: str, *_: object) -> None:
                asked_for.append(statement)  # noqa: B023

            event.listen(connection, "before_cursor_execute", note)
            await reports.read(session, asked)
            event.remove(connection, "before_cursor_execute", note)
        counts.append(len(asked_for))
    assert counts[0] == counts[1] <= 9


async def test_owners_read_and_take_the_tables_with_them(site: Site, shop: Shop) -> None:
    """Page and CSV; nobody of the desk sees them, and a name is no formula."""
    days = {"first": str(FIRST), "last": str(LAST)}
    async with await site.person(shop.tenant, Role.OWNER) as client:
        assert is_page(await client.get("/car-hire/desk/reports"))
        wrong = await client.get("/car-hire/desk/reports", params=days | {"last": "2001-01-01"})
        assert wrong.status_code == 422
        answer = await client.get("/car-hire/desk/reports/classes", params=days)
        rows = list(csv.DictReader(StringIO(answer.text)))
        assert shop.vehicle_class.name in {row["name"] for row in rows}
        assert answer.headers["content-disposition"].endswith('.csv"')
        assert (await client.get("/car-hire/desk/reports/nonsense")).status_code == 404
    async with await site.person(shop.tenant, Role.STAFF) as clerk:
        assert (await clerk.get("/car-hire/desk/reports")).status_code in {403, 404}


async def test_programs_read_what_the_page_shows(site: Site) -> None:
    """As JSON or CSV, by suffix or by what is asked for; a fault names its field."""
    shop = await Shop.open(site.world.databases, site.world.acme, cars=1)
    await driven(shop, datetime(2032, 3, 30, 9, tzinfo=UTC), 24)
    days = {"first": "2032-03-29", "last": "2032-03-31"}
    at = "/api/v1/car-hire/reports"
    async with await programs(site, shop) as owner:
        whole = (await owner.get(at, params=days)).json()
        rows = (await owner.get(f"{at}/days", params=days)).json()["items"]
        assert whole["days"] == rows
        assert [each["hires"] for each in rows] == [0, 1, 0]
        by_suffix = await owner.get(f"{at}/days.csv", params=days)
        asked = {"accept": "text/csv, */*;q=0.1"}
        by_accept = await owner.get(f"{at}/days", params=days, headers=asked)
        assert by_suffix.headers["content-type"].startswith("text/csv")
        assert by_suffix.text == by_accept.text
        assert [row["hires"] for row in csv.DictReader(StringIO(by_suffix.text))] == ["0", "1", "0"]
        assert (await owner.get(f"{at}/secrets")).status_code == 404
        turned = await owner.get(at, params={"first": days["last"], "last": days["first"]})
        assert [each["field"] for each in turned.json()["errors"]] == ["last"]


async def test_programs_publish_damage_prices(site: Site) -> None:
    """Of two who go on from the same version, the second is told."""
    tenant = await site.world.provision()
    shop = await Shop.open(site.world.databases, tenant, cars=1)
    at = "/api/v1/car-hire/damage-prices"
    wanted = {"every": {"door": {"dent": 180.5}}, "cleaning": {"light": 40}}
    async with await programs(site, shop) as owner:
        number = (await owner.get(at)).headers["etag"]
        made = await owner.post(
            f"{at}/versions", json={"prices": wanted}, headers={"if-match": number}
        )
        assert made.status_code == 201
        again = await owner.post(
            f"{at}/versions", json={"prices": wanted}, headers={"if-match": number}
        )
        assert again.status_code == 412
        read = await owner.get(at)
        assert read.json()["number"] == made.json()["number"]
        assert read.headers["etag"] == made.headers["etag"]
        assert Decimal(str(read.json()["prices"]["every"]["door"]["dent"])) == Decimal("180.5")
        table = list(csv.DictReader(StringIO((await owner.get(f"{at}/table.csv")).text)))
        assert {"class_id": "", "part": "door", "kind": "dent", "price": "180.5"} in table
        strange = {"every": {"door": {"x": 1, "dent": "NaN"}}, "shares": {"light": "NaN"}}
        wrong = await owner.post(f"{at}/versions", json={"prices": strange})
        named = {each["field"] for each in wrong.json()["errors"]}
        assert named == {"every.door.x", "every.door.dent", "shares.light"}


async def programs(site: Site, shop: Shop) -> httpx.AsyncClient:
    """An owner's program."""
    user_id = await site.enrol(shop.tenant, Role.OWNER)
    async with shop.transaction() as session:
        token = await site.sessions.begin(session, user_id, "api")
    return site.visitor(shop.tenant, authorization=f"Bearer {token}")


async def test_use_is_told_by_the_day(shop: Shop) -> None:
    """A hire counts on each day that it touches, and a day has as many hours as clocks give it."""
    # From 18:00 on the 29th to noon on the 30th, which has 23 hours in Lisbon.
    await driven(shop, datetime(2036, 3, 29, 18, tzinfo=UTC), 17)
    async with shop.transaction() as session:
        asked = reports.range_of(shop.tenant, date(2036, 3, 28), date(2036, 3, 31))
        found = await reports.read(session, asked)
    cars = sum(each.cars for each in found.classes)
    used = [each.used * cars for each in found.days]
    assert used == pytest.approx([0, 6 / 24, 11 / 23, 0])
    whole = sum(share * hours for share, hours in zip(used, (24, 24, 23, 24), strict=True))
    assert whole == pytest.approx(17)
    assert found.used * cars * 95 == pytest.approx(17)
