"""Service of cars: due by distance, days and hires, planned with one click, noted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from atrium.testing.site import Site
from core import clock
from core.errors import Invalid
from core.permissions import Role
from plugins.car_hire.models import ServiceInterval
from plugins.car_hire.schemas_vehicles import IntervalInput, ServiceInput
from plugins.car_hire.services import fleet
from plugins.car_hire.services.vehicles import servicing
from tests.plugins.car_hire.shop import Shop


async def _interval(shop: Shop, **changes: Any) -> ServiceInterval:
    values: dict[str, Any] = {"name": "Oil <1>", "class_id": shop.vehicle_class.id}
    async with shop.transaction() as session:
        return await servicing.add(session, IntervalInput(**(values | changes)))


async def _serviced(shop: Shop, kind: ServiceInterval, days_ago: int, km: int) -> None:
    day = clock.today(shop.tenant.zone) - timedelta(days=days_ago)
    async with shop.transaction() as session:
        for car in shop.cars:
            given = ServiceInput(done_on=day, odometer_km=km)
            await servicing.done(session, car.id, kind.id, given)


async def _due(shop: Shop) -> dict[Any, servicing.Due]:
    async with shop.transaction() as session:
        rows = await servicing.due(session)
    return {row.vehicle.id: row for row in rows if row.vehicle.class_id == shop.vehicle_class.id}


async def test_service_is_due_by_whatever_comes_first(shop: Shop) -> None:
    """By the odometer at the return, by days and by hires; never before nine tenths."""
    kind = await _interval(shop, every_km=1000, every_days=100, every_hires=1)
    await _serviced(shop, kind, 10, 9_500)
    assert await _due(shop) == {}
    booking, hire_id = await shop.out(1, 5)
    await shop.back(hire_id, odometer_km=10_100)
    found = (await _due(shop))[booking.vehicle_id]
    assert (found.km, found.days, found.hires) == (600, 10, 1)
    assert found.is_overdue
    other = next(car for car in shop.cars if car.id != booking.vehicle_id)
    day = clock.today(shop.tenant.zone)
    async with shop.transaction() as session:
        await servicing.done(
            session, booking.vehicle_id, kind.id, ServiceInput(done_on=day, odometer_km=10_100)
        )
        with pytest.raises(Invalid):
            await servicing.done(
                session, other.id, kind.id, ServiceInput(done_on=day, odometer_km=99_999)
            )
        plain = IntervalInput(name="Oil", class_id=kind.class_id, every_km=600)
        await servicing.change(session, kind.id, plain, kind.version)
    rest = await _due(shop)
    assert booking.vehicle_id not in rest
    assert not rest or not rest[other.id].is_overdue


async def test_a_service_is_planned_on_the_first_free_morning(shop: Shop) -> None:
    kind = await _interval(shop, every_km=1000)
    booking = await shop.confirmed(2, 24 * 5)
    async with shop.transaction() as session:
        free = next(car for car in shop.cars if car.id != booking.vehicle_id)
        early = await servicing.plan(session, free.id, kind.id)
        late = await servicing.plan(session, booking.vehicle_id, kind.id)
    assert early.starts_at < booking.ends_at < late.starts_at
    assert clock.local(late.starts_at, shop.tenant.zone).hour == 9
    assert late.notes == kind.name


async def test_service_is_kept_on_pages(site: Site, shop: Shop) -> None:
    """Without saying how often it is refused; a wrong odometer keeps what was typed."""
    at = "/car-hire/desk/fleet/service"
    form = {"name": "Brakes <2>", "class_id": str(shop.vehicle_class.id), "hours": "4"}
    car = shop.cars[0]
    async with await site.person(shop.tenant, Role.STAFF) as client:
        refused = await client.post(f"{at}/new", data=form)
        assert refused.status_code == 422
        assert "Brakes &lt;2&gt;" in refused.text
        made = await client.post(f"{at}/new", data=form | {"every_km": "5000", "in_use": "on"})
        assert made.status_code == 303
        assert car.plate in (await client.get(at)).text
        listed = (await client.get("/api/v1/car-hire/services/due")).json()["items"]
        kind = next(each["interval_id"] for each in listed if each["vehicle_id"] == str(car.id))
        assert (await client.get(f"{at}/{kind}")).status_code == 200
        here = f"/car-hire/desk/fleet/{car.id}/service"
        assert "Brakes &lt;2&gt;" in (await client.get(here)).text
        wrong = {"done_on": "2020-01-01", "odometer_km": "9000000", "notes": "<x>"}
        page = await client.post(f"{here}/{kind}/done", data=wrong)
        assert page.status_code == 422
        assert "&lt;x&gt;" in page.text
        right = await client.post(f"{here}/{kind}/done", data=wrong | {"odometer_km": "9000"})
        assert right.status_code == 303
        assert (await client.post(f"{here}/{kind}/plan")).status_code == 303
    async with shop.transaction() as session:
        assert (await fleet.vehicle(session, car.id)).odometer_km == 10_000
