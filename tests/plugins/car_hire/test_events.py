"""What car hire tells whoever listens, and programs of the business."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import msgspec

from atrium.testing.site import Site
from core.webhooks import Webhook
from plugins.car_hire.plugin import plugin
from plugins.car_hire.services import bookings, changing, hires
from tests.plugins.car_hire.shop import Shop


async def told(site: Site, shop: Shop, booking_id: object) -> list[tuple[str, dict[str, Any]]]:
    """The events about a booking that lie in the outbox, in order."""
    connection = await asyncpg.connect(site.world.superuser_dsn(shop.tenant))
    try:
        rows = await connection.fetch(
            "SELECT args FROM outbox.messages WHERE actor = 'core.fan_out' AND tenant = $1"
            " AND args->'body'->>'booking_id' = $2 ORDER BY put_at",
            shop.tenant.id,
            str(booking_id),
        )
    finally:
        await connection.close()
    said = [msgspec.json.decode(row["args"]) for row in rows]
    return [(each["event"], each["body"]) for each in said]


async def test_a_bookings_course_is_told(site: Site) -> None:
    """From the moment at which it is firm; what comes before is nobody's business."""
    shop = await Shop.open(site.world.databases, site.world.acme, cars=2)
    booking, hire_id = await shop.out()
    await shop.back(hire_id)
    async with shop.transaction() as session:
        await hires.close(session, hire_id)
    found = await told(site, shop, booking.id)
    assert [name for name, _ in found] == [
        "car_hire.booking_made",
        "car_hire.hire_started",
        "car_hire.hire_returned",
        "car_hire.hire_closed",
    ]
    back = found[2][1]
    assert (back["state"], back["booking_number"]) == ("returned", booking.number)
    assert back["odometer_in"] >= back["odometer_out"]


async def test_changes_and_cancellations_say_how_the_booking_stands(site: Site) -> None:
    """With the version that the API knows it by."""
    shop = await Shop.open(site.world.databases, site.world.acme, cars=2)
    booking = await shop.confirmed(starts_in=72)
    later = booking.ends_at + timedelta(days=1)
    async with shop.transaction() as session:
        await changing.change_dates(session, booking.id, booking.starts_at, later)
    async with shop.transaction() as session:
        gone = await bookings.cancel(session, booking.id)
    found = await told(site, shop, booking.id)
    assert [name for name, _ in found] == [
        "car_hire.booking_made",
        "car_hire.booking_changed",
        "car_hire.booking_cancelled",
    ]
    versions = [body["version"] for _, body in found]
    assert versions == sorted(versions)
    assert versions[-1] == gone.version
    assert found[1][1]["ends_at"] == later.isoformat().replace("+00:00", "Z")


def test_no_event_tells_of_people() -> None:
    """What was sent lies with others for good."""
    telling = {"name", "email", "phone", "customer_id", "user_id", "licence", "remarks"}
    for each in plugin.webhooks:
        assert isinstance(each, Webhook)
        assert isinstance(each.example, each.event)
        assert not telling & set(each.event.__struct_fields__), each.name
        assert each.about
