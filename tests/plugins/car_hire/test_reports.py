"""The owner's figures agree with hires worked out by hand, and the tables with the page."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from io import StringIO

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
