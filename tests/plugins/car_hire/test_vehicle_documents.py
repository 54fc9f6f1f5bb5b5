"""Papers and photos of cars: told of in time, once, and no car leaves against the rules."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select

from atrium.testing.site import Site
from core import clock, plugin_settings
from core.notifications.models import Notification
from core.permissions import Role
from plugins.car_hire import policy
from plugins.car_hire.models import VehicleClass, VehicleDocument
from plugins.car_hire.schemas_vehicles import DocumentInput
from plugins.car_hire.services import hires
from plugins.car_hire.services.vehicles import documents
from tests.plugins.car_hire.shop import Shop

PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def _paper(shop: Shop, days: int, **changes: Any) -> DocumentInput:
    until = clock.today(shop.tenant.zone) + timedelta(days=days)
    values: dict[str, Any] = {"kind": "insurance", "valid_until": until, "required": True}
    return DocumentInput(**(values | changes))


async def _told(shop: Shop, car_id: object) -> int:
    async with shop.transaction() as session:
        query = select(func.count(func.distinct(Notification.id))).where(
            Notification.kind == "car_hire.paper_lapses", Notification.subject_id == str(car_id)
        )
        return await session.scalar(query) or 0


async def test_staff_hear_of_a_paper_that_lapses_once(site: Site, shop: Shop) -> None:
    """Not of one that another replaces, nor twice; again when it has another date."""
    user_id = await site.enrol(shop.tenant, Role.STAFF)
    one, other = shop.cars[0].id, shop.cars[1].id
    async with shop.transaction() as session:
        made = await documents.add(session, one, _paper(shop, 10))
        await documents.add(session, other, _paper(shop, 10))
        await documents.add(session, other, _paper(shop, 300))
        await documents.add(session, other, _paper(shop, 400, kind="inspection"))
    for _ in range(2):
        async with shop.transaction() as session:
            while await documents.remind(session):
                pass
    async with shop.transaction() as session:
        mine = select(func.count()).where(
            Notification.user_id == user_id, Notification.subject_id == str(one)
        )
        assert await session.scalar(mine) == 1
    assert await _told(shop, other) == 0
    async with shop.transaction() as session:
        await documents.change(session, one, made.id, _paper(shop, 12), made.version)
        await documents.remind(session)
    async with shop.transaction() as session:
        assert await session.scalar(mine) == 2


async def test_a_car_does_not_leave_with_papers_that_lapse_on_the_way(
    site: Site, shop: Shop
) -> None:
    """Where the business says so; otherwise the check-out warns."""
    booking = await shop.confirmed(1, 72)
    async with shop.transaction() as session:
        await documents.add(session, booking.vehicle_id, _paper(shop, 1))
        await documents.add(session, booking.vehicle_id, _paper(shop, 1, required=False))
        found = await documents.of_hire(session, booking)
        assert [each.kind for each in found] == ["insurance"]
    made = await site.world.provision(f"papers-{booking.id.hex[-6:]}")
    strict = await Shop.open(shop.databases, made)
    booked = await strict.confirmed(1, 72)
    async with strict.transaction() as session:
        await plugin_settings.save(session, policy.PLUGIN, policy.Policy(papers_needed=True))
        paper = await documents.add(session, booked.vehicle_id, _paper(strict, 1))
    with pytest.raises(documents.PapersLapse):
        async with strict.transaction() as session:
            await hires.prepare(session, strict.readings(booked))
    async with strict.transaction() as session:
        renewed = _paper(strict, 30)
        await documents.change(session, booked.vehicle_id, paper.id, renewed, paper.version)
        await hires.prepare(session, strict.readings(booked))
    async with await site.person(shop.tenant, Role.STAFF) as client:
        begun = await client.post(f"/car-hire/desk/bookings/{booking.id}/inspection")
        page = await client.get(begun.headers["location"])
    assert "lapses during the hire" in page.text


async def test_a_paper_is_kept_with_its_scan(site: Site, shop: Shop) -> None:
    """What is neither PDF nor picture is refused beside the file, and what was typed stays."""
    here = f"/car-hire/desk/fleet/{shop.cars[0].id}/documents"
    form = {"kind": "insurance", "number": "AP <1>", "valid_until": "2031-05-31", "required": "on"}
    async with await site.person(shop.tenant, Role.STAFF) as client:
        refused = await client.post(here, data=form, files={"file": ("a.exe", b"MZ\x90\0")})
        assert refused.status_code == 422
        assert "AP &lt;1&gt;" in refused.text
        kept = await client.post(here, data=form, files={"file": ("a.pdf", PDF)})
        assert kept.status_code == 303
        again = await client.post(here, data=form | {"number": "AP 2"})
        assert again.status_code == 303
        page = await client.get(here)
        listed = (await client.get(f"/api/v1/car-hire/vehicles/{shop.cars[0].id}/documents")).json()
        scan = next(each["file_id"] for each in listed["items"] if each["file_id"])
        assert (await client.get(f"/files/{scan}")).content == PDF
        assert (await client.get("/car-hire/desk/fleet/documents")).status_code == 200
        gone = next(each["id"] for each in listed["items"] if each["file_id"])
        assert (await client.post(f"{here}/{gone}/removal")).status_code == 303
        assert (await client.get(f"/files/{scan}")).status_code == 404
    assert "AP &lt;1&gt;" in page.text
    async with site.visitor(shop.tenant) as visitor:
        assert (await visitor.get(f"/files/{scan}")).status_code in {303, 404}
    async with shop.transaction() as session:
        left = select(VehicleDocument.number).where(VehicleDocument.vehicle_id == shop.cars[0].id)
        assert (await session.scalars(left)).all() == ["AP 2"]


def _jpeg() -> bytes:
    made = BytesIO()
    Image.new("RGB", (60, 40), "#2f5d9b").save(made, "JPEG")
    return made.getvalue()


async def test_customers_see_a_class_by_its_photo(site: Site, shop: Shop) -> None:
    """The desk's photos of a car are not theirs to see."""
    class_id, car_id = shop.vehicle_class.id, shop.cars[0].id
    sent = {"photo": ("car.jpg", _jpeg(), "image/jpeg")}
    async with await site.person(shop.tenant, Role.OWNER) as client:
        at = f"/car-hire/desk/classes/{class_id}/photo"
        assert (await client.post(at, files={"photo": ("a.txt", b"no")})).status_code == 303
        assert (await client.post(at, files=sent)).status_code == 303
        assert (await client.post(f"/car-hire/desk/fleet/{car_id}/photos", files=sent)).is_redirect
        page = await client.get(f"/car-hire/desk/fleet/{car_id}/photos")
    photo = page.text.split('src="/files/')[1].split('"')[0]
    async with shop.transaction() as session:
        shown = await session.get_one(VehicleClass, class_id)
        path = shown.photo
    assert path
    async with site.visitor(shop.tenant) as visitor:
        assert path in (await visitor.get("/car-hire")).text
        assert (await visitor.get(path)).headers["content-type"] == "image/jpeg"
        assert (await visitor.get(f"/files/{photo}")).status_code in {303, 404}
    async with await site.person(shop.tenant, Role.OWNER) as client:
        assert (await client.post(f"{at}/removal")).status_code == 303
    async with site.visitor(shop.tenant) as visitor:
        assert (await visitor.get(path)).status_code == 303
