"""Branches: when somebody is there, where cars are, and what a hire between two costs."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from atrium.testing.site import Site
from core import clock
from core.errors import Invalid
from core.permissions import Role
from plugins.car_hire.errors import VehicleUnavailable
from plugins.car_hire.models import Branch
from plugins.car_hire.schemas import QuoteInput, ReturnInput
from plugins.car_hire.schemas_branches import DayInput
from plugins.car_hire.services import (
    bookings,
    changing,
    fleet,
    hires,
    occupying,
    quotes,
    self_service,
)
from plugins.car_hire.services.branches import keeping, moving, network, opening
from plugins.car_hire.services.branches.opening import Opening, Span
from plugins.car_hire.services.branches.whereabouts import Elsewhere, Journey
from tests.plugins.car_hire.firm import Firm, branch_input
from tests.plugins.car_hire.shop import vehicle_input

LISBON = "Europe/Lisbon"
DAYS = opening.WEEKDAYS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("9-13, 14:30-19", "09:00-13:00, 14:30-19:00"),
        ("14h-19h30; 9.15 to 13", "09:15-13:00, 14:00-19:30"),
        ("0-24", "00:00-24:00"),
        (" ", ""),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, shown: str) -> None:
    spans = opening.typed(text)
    assert opening.told(spans).replace("\N{EN DASH}", "-") == shown
    assert opening.read([each.kept for each in spans]) == spans


@pytest.mark.parametrize("text", ["9", "13-9", "9-25", "9:60-13", "9-13, 12-14", "nine to five"])
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text[:1]):
        opening.typed(text)


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return clock.from_wall(datetime.combine(day, time(hour, minute)), LISBON)


def test_hours_are_the_walls_on_the_nights_when_clocks_are_set() -> None:
    """Nine is nine before and after, and the hour that comes twice is open twice."""
    week = {number: (Span(9 * 60, 19 * 60),) for number in range(1, 8)}
    shop = Opening(zone=LISBON, week=week, days={})
    for day in (date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 24), date(2026, 10, 25)):
        assert not shop.is_open(_at(day, 8, 59))
        assert shop.is_open(_at(day, 9))
        assert shop.is_open(_at(day, 19))
        assert not shop.is_open(_at(day, 19, 1))
    night = Opening(zone=LISBON, week={7: (Span(60, 119),)}, days={})
    twice = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    assert [night.is_open(each) for each in twice] == [True, True]


def test_a_special_day_has_hours_of_its_own_and_midnight_ends_a_day() -> None:
    week = {number: (Span(20 * 60, 1440),) for number in range(1, 8)}
    christmas = date(2026, 12, 25)
    shop = Opening(zone=LISBON, week=week, days={christmas: ()})
    assert not shop.is_open(_at(christmas, 21))
    assert shop.is_open(_at(christmas, 0))  # the end of Christmas Eve
    assert not shop.is_open(_at(date(2026, 12, 26), 0))


async def test_a_car_is_to_be_had_where_it_will_be(firm: Firm) -> None:
    """Not at the other branch; after a one-way hire only there; and it can come back."""
    with pytest.raises(VehicleUnavailable):
        await firm.quoted(5, 5, Journey(firm.away, firm.away))
    one_way = await firm.quoted(30, 20, firm.there)
    booked = await firm.place(one_way)
    assert booked.return_branch_id == firm.away
    with pytest.raises(VehicleUnavailable):
        await firm.booked(60, 20, firm.round_trip)
    with pytest.raises(VehicleUnavailable):  # it would not be back for the one-way hire
        await firm.quoted(5, 20, firm.there)
    await firm.booked(5, 20, firm.round_trip)
    await firm.booked(60, 20, firm.back)
    await firm.booked(90, 20, firm.round_trip)


async def test_dates_do_not_change_across_a_journey(firm: Firm) -> None:
    """A booking that would be moved behind the car's one-way hire is told where the car is."""
    await firm.booked(30, 20, firm.there)
    early = await firm.booked(5, 20, firm.round_trip)
    starts_at = firm.now + timedelta(hours=60)
    with pytest.raises(Elsewhere):
        async with firm.transaction() as session:
            await changing.change_dates(
                session, early.id, starts_at, starts_at + timedelta(hours=20)
            )


async def test_room_is_not_made_by_cars_that_go_elsewhere(firm: Firm) -> None:
    """Of two cars, one leaves for good in between: a booking is not laid onto it afterwards."""
    async with firm.transaction() as session:
        given = vehicle_input(firm.vehicle_class.id, home_branch_id=firm.home)
        firm.cars.append(await fleet.add_vehicle(session, given))
    left = await firm.booked(30, 10, firm.there)
    late = await firm.booked(50, 20, firm.round_trip)
    assert left.vehicle_id != late.vehicle_id
    with pytest.raises(VehicleUnavailable):
        await firm.booked(55, 20, firm.round_trip)


async def test_a_car_that_came_back_elsewhere_stands_there_and_is_billed(firm: Firm) -> None:
    """Agreed home, brought to the other branch: the fee is on the bill, the car is there."""
    booking = await firm.booked(1, 20, firm.round_trip)
    async with firm.transaction() as session:
        hire = await hires.prepare(session, firm.readings(booking))
        await hires.depart(session, hire.id)
    given = ReturnInput(odometer_km=10_100, fuel_eighths=8, return_branch_id=firm.away)
    async with firm.transaction() as session:
        await hires.take_back(session, hire.id, given)
        lines = await hires.bill_lines(session, hire.id)
        car = await fleet.vehicle(session, booking.vehicle_id)
    assert [(line.rule, line.net) for line in lines] == [("fee.one_way", Decimal(60))]
    assert car.branch_id == firm.away
    await firm.quoted(30, 5, Journey(firm.away, firm.away))


async def test_a_car_that_is_seen_elsewhere_is_there(firm: Firm) -> None:
    async with firm.transaction() as session:
        await moving.seen_at(session, firm.cars[0].id, firm.away)
    await firm.quoted(5, 5, firm.back)
    with pytest.raises(VehicleUnavailable):
        await firm.quoted(5, 5, firm.round_trip)


async def test_a_cancelled_journey_strands_what_relied_on_it(firm: Firm) -> None:
    """Nothing that was promised is taken away silently; swapping onto such a car is refused."""
    left = await firm.booked(30, 10, firm.there)
    back = await firm.booked(60, 10, firm.back)
    async with firm.transaction() as session:
        await bookings.cancel(session, left.id)
        period = await occupying.period_of(session, back.id)
    assert period is not None
    async with firm.transaction() as session:
        await occupying.lock(session, [back.vehicle_id])
        with pytest.raises(Elsewhere):
            await occupying.change(session, back.id, back.vehicle_id, period)


async def _hours(firm: Firm, **changes: Any) -> Branch:
    """Let the other branch keep hours: nine to seven, closed tomorrow but one."""
    given = dict.fromkeys(DAYS, "9-19") | changes
    async with firm.transaction() as session:
        found = await keeping.one(session, firm.away)
        form = branch_input(name=found.name, code=found.code, **given)
        changed = await keeping.change(session, firm.away, form, found.version)
        closed = clock.today(firm.tenant.zone) + timedelta(days=2)
        await keeping.add_day(session, firm.away, DayInput(day=closed, name="Natal"))
    return changed


def _wanted(firm: Firm, day: int, hour: int) -> QuoteInput:
    at = clock.today(firm.tenant.zone) + timedelta(days=day)
    starts_at = clock.from_wall(datetime.combine(at, time(10)), firm.tenant.zone)
    return QuoteInput(
        class_id=firm.vehicle_class.id,
        starts_at=starts_at - timedelta(days=1),
        ends_at=clock.from_wall(datetime.combine(at, time(hour)), firm.tenant.zone),
        pick_up_branch_id=firm.home,
        return_branch_id=firm.away,
    )


async def test_customers_are_told_the_hours_of_the_day_that_they_chose(firm: Firm) -> None:
    branch = await _hours(firm)
    async with firm.transaction() as session:
        await network.open_for(session, _wanted(firm, 3, 19))
        with pytest.raises(Invalid) as late:
            await network.open_for(session, _wanted(firm, 3, 21))
        with pytest.raises(Invalid) as closed:
            await network.open_for(session, _wanted(firm, 2, 12))
    assert [each.field for each in late.value.errors] == ["ends_at"]
    said = str(late.value.errors[0].message)
    assert branch.name in said
    assert "09:00\N{EN DASH}19:00" in said
    assert "Natal" in str(closed.value.errors[0].message)


async def test_customers_move_their_dates_into_opening_hours_only(firm: Firm) -> None:
    """What the desk agreed to is not asked again: only the end that is moved."""
    await _hours(firm)
    wanted = _wanted(firm, 9, 21)
    async with firm.transaction() as session:
        quote = await quotes.make(session, wanted)
    booking = await firm.place(quote)
    earlier = wanted.starts_at - timedelta(hours=1)
    async with firm.transaction() as session:
        await self_service.preview(session, booking.id, earlier, wanted.ends_at)
        with pytest.raises(Invalid) as later:
            await self_service.preview(
                session, booking.id, wanted.starts_at, wanted.ends_at + timedelta(hours=1)
            )
    assert [each.field for each in later.value.errors] == ["ends_at"]


async def test_out_of_hours_costs_a_fee_where_it_is_served(firm: Firm) -> None:
    """Beside the fee for the other branch; within hours there is none."""
    await _hours(firm, serves_out_of_hours=True)
    async with firm.transaction() as session:
        await network.open_for(session, _wanted(firm, 3, 21))
        late = await quotes.make(session, _wanted(firm, 3, 21))
        in_time = await quotes.make(session, _wanted(firm, 3, 18))
        rules = [
            [line.rule for line in await quotes.lines(session, each.id)] for each in (late, in_time)
        ]
        assert quotes.again(late).gross.amount == late.gross
    assert rules[0][1:] == ["fee.one_way", "fee.out_of_hours"]
    assert rules[1][1:] == ["fee.one_way"]


async def test_the_owner_keeps_branches_and_the_site_asks_for_them(site: Site, firm: Firm) -> None:
    """With bad hours the field is named and what was typed is kept; customers then choose."""
    path = "/car-hire/desk/branches"
    form = {"name": f"Sé <{secrets.token_hex(3)}>", "code": secrets.token_hex(2), "in_use": "on"}
    async with await site.person(firm.tenant, Role.STAFF) as client:
        assert (await client.get(path)).status_code == 403
    async with await site.person(firm.tenant, Role.OWNER) as client:
        refused = await client.post(f"{path}/new", data=form | {"monday": "whenever"})
        assert refused.status_code == 422
        assert 'value="whenever"' in refused.text
        assert (await client.post(f"{path}/new", data=form | {"monday": "9-13"})).status_code == 303
        page = await client.get(path)
        listed = (await client.get("/api/v1/car-hire/branches")).json()["items"]
    made = next(each for each in listed if each["name"] == form["name"])
    assert made["monday"].startswith("09:00")
    assert "&lt;" in page.text
    async with site.visitor(firm.tenant) as client:
        home = await client.get("/car-hire")
    assert f'value="{made["id"]}"' in home.text


async def test_a_branch_that_is_needed_stays(firm: Firm) -> None:
    async with firm.transaction() as session:
        found = await keeping.one(session, firm.home)
        form = branch_input(name=found.name, code=found.code, in_use=False)
        with pytest.raises(keeping.BranchNeeded):
            await keeping.change(session, firm.home, form, None)
        other = await keeping.one(session, firm.away)
        form = branch_input(name=other.name, code=other.code, in_use=False)
        await keeping.change(session, firm.away, form, None)
        with pytest.raises(Invalid):
            (await network.read(session)).journey(firm.away, None)


async def test_a_firm_with_one_branch_is_asked_nothing(site: Site) -> None:
    """Neither customers nor the desk see that there are branches."""
    small = await site.world.provision(f"small-{secrets.token_hex(3)}")
    async with site.world.databases.transaction(small) as session:
        await keeping.main(session)
    async with site.visitor(small) as client:
        assert "branch_id" not in (await client.get("/car-hire")).text
    async with await site.person(small, Role.OWNER) as client:
        for path in ("", "/fleet/new", "/calendar", "/bookings/new", "/walk-in"):
            assert "branch_id" not in (await client.get(f"/car-hire/desk{path}")).text
