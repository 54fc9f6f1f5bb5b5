"""Price lists: versions that never change once they count, and the one that a quote is made by."""

from __future__ import annotations

import asyncio
import secrets
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, select, update

from atrium.testing.site import Site
from core import clock
from core.errors import EditedMeanwhile, Invalid
from core.permissions import Role
from plugins.car_hire.models import PriceList
from plugins.car_hire.services import pricing, quotes
from plugins.car_hire.services.prices import checking, current, lists, trying
from plugins.car_hire.services.pricing import rules
from tests.plugins.car_hire.shop import Shop, class_prices, house_rules, publish

D = Decimal
DESK = "/car-hire/desk/prices"
TAX = pricing.TaxRule(kind="hire", rate=D("0.23"))


@pytest.fixture
async def firm(site: Site, databases: Any) -> Shop:
    """A tenant of its own, whose drafts disturb nobody."""
    made = await site.world.provision(f"prices-{secrets.token_hex(3)}")
    return await Shop.open(databases, made)


def grid_of(shop: Shop, **units: str) -> dict[str, str]:
    return {f"{shop.vehicle_class.id}-{unit}": price for unit, price in units.items()}


async def test_the_newest_list_that_has_begun_makes_the_price(firm: Shop) -> None:
    """A later list counts from its moment on; a quote already made keeps its price."""
    before = await firm.quote()
    async with firm.transaction() as session:
        draft = await lists.begin(session)
        await lists.put_prices(
            session, draft.id, {firm.vehicle_class.id: class_prices(rate=pricing.Rate(day=D(99)))}
        )
        await lists.publish(session, draft.id, clock.now() + timedelta(days=1))
    same = await firm.quote()
    async with firm.transaction() as session:
        await session.execute(
            update(PriceList).where(PriceList.id == draft.id).values(effective_from=clock.now())
        )
    after = await firm.quote()
    assert (before.net, same.net, after.net) == (D("79.80"), D("79.80"), D(198))
    async with firm.transaction() as session:
        kept = await quotes.one(session, before.id)
        assert quotes.again(kept).net.amount == kept.net == D("79.80")


async def test_a_published_list_never_changes_and_its_copy_is_the_next_draft(firm: Shop) -> None:
    """Editing refuses it; a new draft has all of it; two who begin at once get the same draft."""
    async with firm.transaction() as session:
        counting = await current.counting(session)
        assert counting is not None
        with pytest.raises(lists.NotADraft):
            await lists.put_prices(session, counting.id, {firm.vehicle_class.id: class_prices()})
        with pytest.raises(lists.InEffect):
            await lists.take_back(session, counting.id)

    async def begin() -> UUID:
        async with firm.transaction() as session:
            return (await lists.begin(session)).id

    drafts = set(await asyncio.gather(*(begin() for _ in range(5))))
    assert len(drafts) == 1
    async with firm.transaction() as session:
        draft = await lists.one(session, drafts.pop())
        assert draft.number == counting.number + 1
        assert await trying.compare(session, counting, draft) == []
        await lists.put_rules(session, draft.id, house_rules(month_days=28), 1)
        (change,) = await trying.compare(session, counting, draft)
        assert (change.where, change.before, change.after) == (("rules", "month_days"), "30", "28")
        with pytest.raises(EditedMeanwhile):
            await lists.put_rules(session, draft.id, house_rules(), 1)


async def test_a_list_is_taken_back_until_it_counts(firm: Shop) -> None:
    """Then it is the draft again, unless there is another by now."""
    async with firm.transaction() as session:
        draft = await lists.begin(session)
        await lists.publish(session, draft.id, clock.now() + timedelta(days=3))
        assert (await lists.take_back(session, draft.id)).state == "draft"
        await lists.publish(session, draft.id, clock.now() + timedelta(days=3))
        await lists.begin(session)
        with pytest.raises(lists.AnotherDraft):
            await lists.take_back(session, draft.id)
        with pytest.raises(Invalid):
            await lists.publish(session, (await lists.begin(session)).id, datetime.fromisoformat(
                "2020-01-01T00:00:00+00:00"
            ))  # fmt: skip


async def test_a_change_of_tax_counts_by_the_day_of_the_pick_up(firm: Shop) -> None:
    """The evening before pays the old rate, however long the hire lasts into the new one."""
    new_year = date(clock.now().year + 1, 1, 1)
    house = house_rules(
        taxes=(TAX, pricing.TaxRule(kind="hire", rate=D("0.25"), valid_from=new_year))
    )
    async with firm.transaction() as session:
        found = await publish(session, {firm.vehicle_class.id: class_prices()}, house)
        last = clock.from_wall(
            datetime.combine(new_year, datetime.min.time()) - timedelta(minutes=1),
            firm.tenant.zone,
        )
        rates = [
            (await trying.out(session, found, firm.vehicle_class.id, at, at + timedelta(days=3)))
            .lines[0]
            .tax_rate
            for at in (last, last + timedelta(minutes=1))
        ]
    assert rates == [D("0.23"), D("0.25")]


async def test_a_season_has_its_own_rate_for_the_classes_that_name_it(firm: Shop) -> None:
    """Weeks and seasons come from the list into the lines, with the season's name."""
    starts_at = firm.now + timedelta(days=10)
    day = clock.local(starts_at, firm.tenant.zone).date()
    summer = pricing.SeasonDates(
        code="summer", texts={"en": "Summer"}, first=day, last=day + timedelta(days=20)
    )
    prices = class_prices(seasons={"summer": pricing.Rate(day=D(60), week=D(350))})
    async with firm.transaction() as session:
        await publish(session, {firm.vehicle_class.id: prices}, house_rules(seasons=(summer,)))
    quote = await firm.quote(starts_in=240, hours=24 * 7)
    async with firm.transaction() as session:
        (line,) = await quotes.lines(session, quote.id)
    assert (line.rule, line.net, line.evidence["season"]) == (
        rules.RATE_WEEKLY, D(350), {"en": "Summer"},
    )  # fmt: skip


async def test_a_search_costs_the_same_number_of_statements_for_many_classes(firm: Shop) -> None:
    """One list, one read of its prices, however many classes there are."""
    counted: list[int] = []
    for more in (0, 4):
        for _ in range(more):
            await Shop.open(firm.databases, firm.tenant, cars=1)
        async with firm.transaction() as session:
            statements: list[str] = []
            engine = (await session.connection()).sync_engine

            def note(_c: Any, _k: Any, statement: str, *_rest: Any) -> None:
                statements.append(statement)  # noqa: B023  # removed within the round

            event.listen(engine, "before_cursor_execute", note)
            try:
                start = firm.now + timedelta(hours=2)
                found = await quotes.search(session, start, start + timedelta(days=2))
            finally:
                event.remove(engine, "before_cursor_execute", note)
            counted.append(len(statements))
    assert len(found) == 9
    assert counted[0] == counted[1]


def test_warnings_tell_of_seasons_that_overlap_and_weeks_that_nobody_pays() -> None:
    """They are told, not refused."""

    def season(code: str, first: int, last: int) -> pricing.SeasonDates:
        days = {"first": date(2027, 7, first), "last": date(2027, 7, last)}
        return pricing.SeasonDates(code=code, texts={"en": code}, **days)

    house = house_rules(seasons=(season("one", 1, 10), season("two", 10, 20)))
    prices = class_prices(rate=pricing.Rate(day=D(10), week=D(80)))
    checking.check_rules(house)
    class_id = UUID(int=1)
    found = [str(each) for each in checking.warnings(house, {class_id: prices}, {class_id: "Van"})]
    assert len(found) == 2
    assert "one" in found[0]
    assert found[1].startswith("Van: a week costs more")


async def test_the_owner_drafts_tries_and_publishes_by_pages(site: Site, firm: Shop) -> None:
    """Typed mistakes stay beside their fields; what is saved is what a quote then costs."""
    async with await site.person(firm.tenant, Role.STAFF) as staff:
        assert (await staff.get(DESK)).status_code == 403
    async with await site.person(firm.tenant, Role.OWNER) as owner:
        assert "Change prices" in (await owner.get(DESK)).text
        draft = (await owner.post(DESK)).headers["location"]
        bad = await owner.post(draft, data={"version": "1"} | grid_of(firm, day="NaN", week="7"))
        assert bad.status_code == 422
        assert f'id="{firm.vehicle_class.id}-day-error"' in bad.text
        good = {"version": "1"} | grid_of(firm, day="45,50", hour="9", week="250")
        assert (await owner.post(draft, data=good)).status_code == 303
        stale = await owner.post(draft, data=good | grid_of(firm, day="46"))
        assert stale.status_code == 412
        assert 'value="46"' in stale.text
        season = {
            "seasons-0-name_en": "Summer", "seasons-0-first": "2027-07-01",
            "seasons-0-last": "2027-06-01", "taxes-0-kind": "hire", "taxes-0-percent": "23",
            "weekend": ["6", "7"], "month_days": "30",
        }  # fmt: skip
        wrong = await owner.post(f"{draft}/rules", data=season)
        assert 'id="seasons-0-last-error"' in wrong.text, wrong.text[:3000]
        right = season | {"seasons-0-last": "2027-08-31"}
        assert (await owner.post(f"{draft}/rules", data=right)).status_code == 303
        cells = grid_of(firm, day="60")
        assert (await owner.post(f"{draft}?season=summer", data=cells)).status_code == 303
        tried = await owner.get(draft, params={
            "class_id": str(firm.vehicle_class.id),
            "starts_at": "2027-07-05T10:00", "ends_at": "2027-07-07T10:00",
        })  # fmt: skip
        assert "147.60" in tried.text
        assert "rate.daily" in tried.text
        assert "Summer" in (await owner.get(f"{draft}/changes")).text
        for page in (f"{draft}?season=conditions", f"{draft}/rules", f"{draft}?season=summer"):
            assert (await owner.get(page)).status_code == 200
        published = await owner.post(f"{draft}/publication", data={})
        assert published.status_code == 303, published.text[:3000]
        assert (await owner.post(draft, data=grid_of(firm, day="1"))).status_code == 409
        assert "Summer" in (await owner.get(DESK)).text
    quote = await firm.quote(hours=3)
    assert quote.net == D(27)
    async with firm.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(PriceList)) == 3
