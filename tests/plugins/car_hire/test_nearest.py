"""A search never ends empty: other dates, other classes, and times at which somebody is there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import event

from atrium.testing.site import Site
from core import clock
from core.db import Databases
from core.scope import Tenant, acting_for
from core.web.formatting import wall
from plugins.car_hire.models import Branch
from plugins.car_hire.services import nearest, pricing, quotes
from plugins.car_hire.services.branches import suggesting
from plugins.car_hire.services.branches.network import Network
from plugins.car_hire.services.branches.whereabouts import Journey
from tests.plugins.car_hire.shop import Shop, class_prices, house_rules, publish

DAY = 24


async def near(shop: Shop, starts_in: float, hours: float) -> list[nearest.Near]:
    starts_at = shop.now + timedelta(hours=starts_in)
    ends_at = starts_at + timedelta(hours=hours)
    async with shop.transaction() as session:
        offers = await quotes.search(session, starts_at, ends_at, shop.vehicle_class.id)
        own = [each for each in offers if each.vehicle_class.id == shop.vehicle_class.id]
        asked = quotes.asked_for(session, starts_at, ends_at)
        branch = shop.cars[0].branch_id
        found = await nearest.dates(session, own, asked, Journey(branch, branch))
    return found.get(shop.vehicle_class.id, [])


async def test_the_nearest_dates_with_a_free_car_come_first(
    tenant: Tenant, databases: Databases
) -> None:
    """Later and earlier days count alike, and each can be booked when it is offered."""
    shop = await Shop.open(databases, tenant, cars=1)
    await shop.confirmed(starts_in=10 * DAY, hours=2 * DAY)
    found = await near(shop, 11 * DAY, 2 * DAY)
    # A day later lies within the cleaning; three days later is asked before three days earlier.
    assert [each.days for each in found] == [2, 3]
    for each in found:
        starts_in = (each.starts_at - shop.now).total_seconds() / 3600
        hours = (each.ends_at - each.starts_at).total_seconds() / 3600
        quote = await shop.quote(starts_in, hours)
        assert quote.gross == each.priced.gross.amount


async def test_nothing_is_offered_that_booking_would_refuse(site: Site) -> None:
    """By its lead time a class is free on many days before the first that may be booked, and its
    season asks for more days from the day after: of all that is free, two dates do."""
    shop = await Shop.open(site.world.databases, await site.world.provision(), cars=1)
    await shop.confirmed(starts_in=2 * DAY, hours=20)
    today = clock.today(shop.tenant.zone)
    first, last = today + timedelta(days=12), today + timedelta(days=60)
    season = pricing.SeasonDates(code="fair", texts={"en": "Fair"}, first=first, last=last)
    rules = house_rules(
        seasons=(season,),
        limits=(
            pricing.Limit(class_id=str(shop.vehicle_class.id), lead_hours=10 * DAY),
            pricing.Limit(class_id=str(shop.vehicle_class.id), season="fair", days_from=5),
        ),
    )
    async with shop.transaction() as session:
        await publish(session, {shop.vehicle_class.id: class_prices()}, rules)
    found = await near(shop, 2 * DAY + 1, 20)
    assert found
    assert all(each.starts_at >= shop.now + timedelta(days=10) for each in found)
    assert all(clock.local(each.starts_at, shop.tenant.zone).date() < first for each in found)
    for each in found:
        starts_in = (each.starts_at - shop.now).total_seconds() / 3600
        await shop.quote(starts_in, (each.ends_at - each.starts_at).total_seconds() / 3600)


async def test_nothing_is_offered_of_a_class_that_is_free_or_never_is(
    tenant: Tenant, databases: Databases
) -> None:
    """Who can have what they want is shown nothing else; a class without cars has no dates."""
    shop = await Shop.open(databases, tenant, cars=1)
    assert await near(shop, 11 * DAY, 2 * DAY) == []
    await shop.confirmed(starts_in=DAY, hours=40 * DAY)
    assert await near(shop, 12 * DAY, 2 * DAY) == []


async def test_dates_that_have_passed_are_not_offered(tenant: Tenant, databases: Databases) -> None:
    """What is taken tomorrow is free later, not yesterday."""
    shop = await Shop.open(databases, tenant, cars=1)
    await shop.confirmed(starts_in=2, hours=DAY)
    assert [each.days for each in await near(shop, 3, 5)] == [1, 2]


def _note(asked: list[str], *statement: object) -> None:
    asked.append(str(statement[2]))


async def test_the_number_of_statements_does_not_grow(
    tenant: Tenant, databases: Databases, site: Site
) -> None:
    """One full class or four: the search asks the database as often."""
    shops = [await Shop.open(databases, tenant, cars=1) for _ in range(4)]
    counts = []
    for number, shop in enumerate(shops):
        await shop.confirmed(starts_in=20 * DAY, hours=2 * DAY)
        if number not in {0, 3}:
            continue
        starts_at = shop.now + timedelta(days=20, hours=3)
        asked: list[str] = []
        async with shop.transaction() as session:
            connection = (await session.connection()).sync_connection
            event.listen(connection, "before_cursor_execute", partial(_note, asked))
            ends_at = starts_at + timedelta(hours=5)
            offers = await quotes.search(session, starts_at, ends_at)
            branch = shop.cars[0].branch_id
            priced = quotes.asked_for(session, starts_at, ends_at)
            await nearest.dates(session, offers, priced, Journey(branch, branch))
        counts.append(len(asked))
    assert counts[0] == counts[1] > 0


async def test_who_finds_a_class_full_is_led_on(
    site: Site, tenant: Tenant, databases: Databases
) -> None:
    """Dates, branch and class stay in the address, and its link leads to a free car."""
    shop = await Shop.open(databases, tenant, cars=1)
    await shop.confirmed(starts_in=10 * DAY, hours=2 * DAY)
    starts_at = shop.now + timedelta(days=11)
    with acting_for(tenant):
        asked = {
            "class_id": str(shop.vehicle_class.id),
            "starts_at": wall(starts_at),
            "ends_at": wall(starts_at + timedelta(days=2)),
        }
    async with site.visitor(tenant) as visitor:
        page = (await visitor.get(f"/car-hire?{urlencode(asked)}")).text
        assert f"{shop.vehicle_class.name} is taken on these dates" in page
        link = re.search(
            rf'href="(/car-hire\?[^"]*class_id={shop.vehicle_class.id}[^"]*)#cars"', page
        )
        assert link is not None
        other = (await visitor.get(link[1].replace("&amp;", "&"))).text
    assert f"Choose {shop.vehicle_class.name}" in other


async def test_a_class_alone_is_no_search_yet(site: Site, shop: Shop) -> None:
    """From a page of a class, or with words of an advertisement: dates are proposed, no error."""
    path = f"/car-hire?class_id={shop.vehicle_class.id}&utm_source=letter"
    async with site.visitor(shop.tenant) as visitor:
        answer = await visitor.get(path)
    assert answer.status_code == 200
    assert f'<option value="{shop.vehicle_class.id}" selected>' in answer.text


def test_closed_times_move_to_the_nearest_at_which_somebody_is_there() -> None:
    """At night the morning, on a Sunday Saturday's end or Monday's beginning; never the past."""
    hours = {str(day): [["09:00", "13:00"], ["14:00", "19:00"]] for day in range(1, 7)}
    branch = Branch(name="B", code="B", hours=hours, in_use=True, is_main=True)
    branch.id = shop_id = UUID(int=1)
    there = Network(zone="Europe/Lisbon", branches={shop_id: branch}, days={})
    monday = datetime(2032, 5, 3, tzinfo=UTC)  # 01:00 in Lisbon
    assert clock.now() < monday
    found = suggesting.open_times(
        there, Journey(shop_id, shop_id), monday, monday + timedelta(days=6, hours=11)
    )
    assert found is not None
    assert [clock.local(each, "Europe/Lisbon").strftime("%a %H:%M") for each in found] == [
        "Mon 09:00", "Sat 19:00",
    ]  # fmt: skip
