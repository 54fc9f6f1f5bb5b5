"""Transfers bring cars to other branches; nobody who was promised one finds it gone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from atrium.testing.site import Site
from core.errors import Invalid
from core.permissions import Role
from plugins.car_hire.errors import Collision, NotNow, VehicleUnavailable
from plugins.car_hire.models import Block
from plugins.car_hire.schemas_branches import CarTransferInput
from plugins.car_hire.services import blocks, bookings, fleet, hires
from plugins.car_hire.services.branches import rerouting, transfers
from plugins.car_hire.services.branches.whereabouts import Elsewhere
from tests.plugins.car_hire.firm import Firm
from tests.plugins.car_hire.shop import vehicle_input


async def _plan(firm: Firm, starts_in: float, hours: float, **changes: Any) -> Block:
    starts_at = firm.now + timedelta(hours=starts_in)
    given: dict[str, Any] = {
        "to_branch_id": firm.away,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=hours),
    }
    async with firm.transaction() as session:
        return await transfers.plan(session, firm.cars[0].id, CarTransferInput(**(given | changes)))


async def test_a_transfer_makes_a_car_to_be_had_at_the_other_branch(firm: Firm) -> None:
    """From its end on there, and no more at home; a transfer to where it is makes no sense."""
    with pytest.raises(VehicleUnavailable):
        await firm.quoted(10, 5, firm.back)
    made = await _plan(firm, 1, 4, driver="Rui")
    assert (made.from_branch_id, made.to_branch_id) == (firm.home, firm.away)
    await firm.quoted(10, 5, firm.back)
    with pytest.raises(VehicleUnavailable):
        await firm.quoted(10, 5, firm.round_trip)
    with pytest.raises(Invalid):
        await _plan(firm, 20, 4)
    with pytest.raises(NotNow):
        async with firm.transaction() as session:
            await blocks.end(session, made.id)
    async with firm.transaction() as session:
        assert made.id in {each.block.id for each in await transfers.coming(session, firm.away)}


async def test_a_car_is_not_taken_from_bookings_unless_they_get_others(firm: Firm) -> None:
    """It is said which would find it gone; with the tick they move, or nothing happens."""
    booked = await firm.booked(30, 5, firm.round_trip)
    with pytest.raises(Collision):
        await _plan(firm, 29, 4)
    with pytest.raises(Elsewhere, match=booked.number) as refused:
        await _plan(firm, 1, 4)
    assert [each.reason_id for each in refused.value.found] == [booked.id]
    with pytest.raises(Collision):
        await _plan(firm, 1, 4, move=True)
    async with firm.transaction() as session:
        given = vehicle_input(firm.vehicle_class.id, home_branch_id=firm.home)
        firm.cars.append(await fleet.add_vehicle(session, given))
    await _plan(firm, 1, 4, move=True)
    async with firm.transaction() as session:
        moved = await bookings.one(session, booked.id)
        assert moved.vehicle_id == firm.cars[1].id
        assert not await transfers.stranded(session, firm.home)


async def test_what_a_cancelled_journey_stranded_is_mended_by_a_transfer(firm: Firm) -> None:
    left = await firm.booked(30, 10, firm.there)
    back = await firm.booked(60, 10, firm.back)
    async with firm.transaction() as session:
        await bookings.cancel(session, left.id)
    async with firm.transaction() as session:
        (found,) = await transfers.stranded(session, firm.away)
    assert (found.booking.id, found.branch_id) == (back.id, firm.home)
    made = await _plan(firm, 50, 4)
    async with firm.transaction() as session:
        assert not await transfers.stranded(session, firm.away)
        await transfers.call_off(session, made.id)
        assert len(await transfers.stranded(session, firm.away)) == 1


async def test_a_transfer_that_arrived_moves_where_the_car_is(firm: Firm) -> None:
    """Once; sooner than planned, the car is there and for hire sooner."""
    made = await _plan(firm, -1, 8)
    async with firm.transaction() as session:
        await transfers.arrive(session, made.id)
    async with firm.transaction() as session:
        assert (await fleet.vehicle(session, firm.cars[0].id)).branch_id == firm.away
        assert made.id not in {each.block.id for each in await transfers.coming(session)}
        with pytest.raises(NotNow):
            await transfers.arrive(session, made.id)
        with pytest.raises(NotNow):
            await transfers.call_off(session, made.id)
    await firm.quoted(1, 5, firm.back)


async def test_the_return_branch_changes_with_the_fee(firm: Firm) -> None:
    """Shown first; on the road as before; back again it costs what it did."""
    booking = await firm.booked(1, 20, firm.round_trip)
    cost = booking.gross
    async with firm.transaction() as session:
        hire = await hires.prepare(session, firm.readings(booking))
        await hires.depart(session, hire.id)
    async with firm.transaction() as session:
        made = await rerouting.preview(session, booking.id, firm.away)
        assert made.difference.amount == Decimal("73.80")
        await rerouting.change(session, booking.id, firm.away)
    await firm.quoted(40, 5, firm.back)
    later = await firm.booked(60, 5, firm.back)
    async with firm.transaction() as session:
        changed = await bookings.one(session, booking.id)
        assert (changed.return_branch_id, changed.gross) == (firm.away, cost + Decimal("73.80"))
        with pytest.raises(Elsewhere, match=later.number):
            await rerouting.change(session, booking.id, firm.home)
    async with firm.transaction() as session:
        await bookings.cancel(session, later.id)
        await rerouting.change(session, booking.id, firm.home)
        assert (await bookings.one(session, booking.id)).gross == cost


async def test_transfers_are_pages_that_keep_what_was_typed(site: Site, firm: Firm) -> None:
    booked = await firm.booked(30, 5, firm.round_trip)
    plan = f"/car-hire/desk/fleet/{firm.cars[0].id}/transfer"
    starts_at = (firm.now + timedelta(hours=1)).isoformat()
    ends_at = (firm.now + timedelta(hours=5)).isoformat()
    form = {"to_branch_id": str(firm.away), "starts_at": starts_at, "driver": "<Rui>"}
    async with await site.person(firm.tenant, Role.STAFF) as client:
        assert (await client.get(plan)).status_code == 200
        refused = await client.post(plan, data=form | {"ends_at": ends_at})
        assert refused.status_code == 409
        assert booked.number in refused.text
        assert "&lt;Rui&gt;" in refused.text
        async with firm.transaction() as session:
            await bookings.cancel(session, booked.id)
        assert (await client.post(plan, data=form | {"ends_at": ends_at})).status_code == 303
        listed = await client.get(f"/car-hire/desk/fleet/transfers?branch_id={firm.away}")
        shown = await client.get(f"/api/v1/car-hire/car-transfers?branch_id={firm.away}")
        (item,) = shown.json()["items"]
        where = f"/api/v1/car-hire/car-transfers/{item['id']}/arrival"
        arrived = await client.post(where, headers={"idempotency-key": "arrived-1"})
    assert firm.cars[0].plate in listed.text
    assert "&lt;Rui&gt;" in listed.text
    assert arrived.json()["arrived_at"]


async def test_the_desk_sees_the_fee_before_it_changes_the_branch(site: Site, firm: Firm) -> None:
    booking = await firm.booked(30, 5, firm.round_trip)
    here = f"/car-hire/desk/bookings/{booking.id}/return-branch"
    form = {"return_branch_id": str(firm.away), "version": str(booking.version)}
    async with await site.person(firm.tenant, Role.STAFF) as client:
        assert (await client.get(here)).status_code == 200
        assert "73.80" in (await client.post(f"{here}/difference", data=form)).text
        assert (await client.post(here, data=form)).status_code == 303
        again = await client.post(here, data=form | {"return_branch_id": str(firm.home)})
    assert again.status_code == 412


async def test_todays_page_says_which_cars_move_and_which_bookings_are_stranded(
    site: Site, firm: Firm
) -> None:
    """With what to do about each; whoever calls a transfer off there stays there."""
    made = await _plan(firm, -1, 4)
    relies = await firm.booked(40, 5, firm.back)
    today = f"/car-hire/desk?branch_id={firm.away}"
    async with await site.person(firm.tenant, Role.OWNER) as client:
        before = (await client.get(today)).text
        where = f"/car-hire/desk/fleet/transfers/{made.id}/withdrawal"
        answer = await client.post(where, data={"back": "today"})
        after = (await client.get(today)).text
    assert ("Cars between branches" in before, relies.number in before) == (True, False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/car-hire/desk")
    assert "Cars between branches" not in after
    assert f"/car-hire/desk/bookings/{relies.id}/change" in after
    assert f"{relies.vehicle_id}/transfer?to_branch_id={firm.away}" in after
