"""The status board says what every car does now and next; cars leave the fleet, and come back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from atrium.testing.site import Site
from core.permissions import Role
from plugins.car_hire.errors import Collision, NotNow, VehicleUnavailable
from plugins.car_hire.schemas import BlockInput, ReturnInput
from plugins.car_hire.schemas_branches import CarTransferInput
from plugins.car_hire.schemas_vehicles import RetirementInput
from plugins.car_hire.services import blocks, bookings, fleet, hires
from plugins.car_hire.services.branches import transfers
from plugins.car_hire.services.vehicles import board, retiring
from tests.plugins.car_hire.firm import Firm
from tests.plugins.car_hire.shop import Shop, vehicle_input


async def _states(shop: Shop) -> dict[str, board.Row]:
    wanted = board.Wanted(class_id=shop.vehicle_class.id)
    async with shop.transaction() as session:
        rows = await board.page(session, wanted)
        counted = await board.counts(session, wanted)
    assert sum(counted.values()) == len(rows)
    return {row.vehicle.plate: row for row in rows}


async def test_every_car_is_in_the_state_that_it_is_in(firm: Firm) -> None:
    """Out, late, back and being cleaned, kept back, on its way, promised for later."""
    async with firm.transaction() as session:
        for _ in range(4):
            given = vehicle_input(firm.vehicle_class.id, home_branch_id=firm.home)
            firm.cars.append(await fleet.add_vehicle(session, given))
    out = await firm.booked(1, 30, firm.round_trip)
    async with firm.transaction() as session:
        hire = await hires.prepare(session, firm.readings(out))
        await hires.depart(session, hire.id)
    idle = [each for each in firm.cars if each.id != out.vehicle_id]
    soon, later = firm.now - timedelta(minutes=1), firm.now + timedelta(hours=5)
    async with firm.transaction() as session:
        await blocks.add(session, idle[0].id, BlockInput(starts_at=soon, ends_at=later))
        way = CarTransferInput(to_branch_id=firm.away, starts_at=soon, ends_at=later)
        await transfers.plan(session, idle[1].id, way)
        far = firm.now + timedelta(days=9)
        kept = BlockInput(starts_at=far, ends_at=far + timedelta(hours=1))
        await blocks.add(session, idle[2].id, kept)
    found = await _states(firm)
    assert [found[each.plate].state for each in idle] == [
        "maintenance", "transfer", "available", "available",
    ]  # fmt: skip
    car = next(row for row in found.values() if row.vehicle.id == out.vehicle_id)
    assert car.state == "out"
    assert car.now is not None
    assert (car.now.booking or out).id == out.id
    coming = found[idle[2].plate].next
    assert coming is not None
    assert coming.starts_at == far
    async with firm.transaction() as session:
        given_back = ReturnInput(odometer_km=10_100, fuel_eighths=8)
        await hires.take_back(session, hire.id, given_back)
    assert (await _states(firm))[car.vehicle.plate].state == "cleaning"
    async with firm.transaction() as session:
        only = board.Wanted(class_id=firm.vehicle_class.id, state="transfer")
        assert [row.vehicle.id for row in await board.page(session, only)] == [idle[1].id]


async def test_a_car_that_is_promised_does_not_leave_the_fleet(shop: Shop) -> None:
    """What it is promised for is shown; once it is free it leaves, and may come back."""
    booking = await shop.confirmed(30, 5)
    car_id = booking.vehicle_id
    given = RetirementInput(reason="Sold")
    async with shop.transaction() as session:
        assert [each.name for each in await retiring.ahead(session, car_id)] == [booking.number]
        with pytest.raises(Collision, match=booking.number):
            await retiring.retire(session, car_id, given)
    async with shop.transaction() as session:
        await bookings.cancel(session, booking.id)
    async with shop.transaction() as session:
        left = await retiring.retire(session, car_id, given)
        assert (left.status, left.retired_why) == ("retired", "Sold")
        with pytest.raises(NotNow):
            await retiring.retire(session, car_id, given)
    for _ in range(2):
        await shop.book(30, 5)
    with pytest.raises(VehicleUnavailable):
        await shop.book(30, 5)
    async with shop.transaction() as session:
        back = await retiring.bring_back(session, car_id)
        assert (back.status, back.retired_at, back.retired_why) == ("available", None, None)
    await shop.book(30, 5)


async def test_the_board_is_a_page_with_filters(site: Site, shop: Shop) -> None:
    plate, car_id = shop.cars[0].plate, shop.cars[0].id
    path = f"/car-hire/desk/fleet/board?class_id={shop.vehicle_class.id}"
    gone = f"/car-hire/desk/fleet/{car_id}/retirement"
    async with await site.person(shop.tenant, Role.STAFF) as client:
        assert plate in (await client.get(f"{path}&status=available")).text
        assert plate not in (await client.get(f"{path}&status=late")).text
        assert (await client.get(gone)).status_code == 200
        assert (await client.post(gone, data={"reason": "Sold <b>"})).status_code == 303
        assert plate not in (await client.get(path)).text
        page = (await client.get(f"{path}&status=retired")).text
        assert plate in page
        assert "Sold &lt;b&gt;" in page
        assert (await client.post(f"{gone}/undo")).status_code == 303
        assert plate in (await client.get(path)).text
