"""A new tenant's first classes, and the demonstration."""

from __future__ import annotations

import secrets

from sqlalchemy import func, select

from atrium.testing.site import Site
from core.permissions import Role
from plugins.car_hire import demo
from plugins.car_hire.models import Booking, Vehicle, VehicleClass


async def test_a_new_tenant_begins_with_classes(site: Site) -> None:
    """Provisioning seeds four classes; seeding again adds none."""
    made = await site.world.provision(f"seeded-{secrets.token_hex(3)}")
    async with site.world.databases.transaction(made) as session:
        await demo.seed(session)
        assert await session.scalar(select(func.count()).select_from(VehicleClass)) == 4


async def test_the_demonstration_shows_every_state(site: Site) -> None:
    """Twelve cars and bookings in most states, relative to now; told twice it is told once."""
    made = await site.world.provision(f"demo-{secrets.token_hex(3)}", zone="Pacific/Auckland")
    for _ in range(2):
        async with site.world.databases.transaction(made) as session:
            await demo.demo(session)
    async with site.world.databases.transaction(made) as session:
        assert await session.scalar(select(func.count()).select_from(Vehicle)) == 12
        counted = select(Booking.state, func.count()).group_by(Booking.state)
        found = dict((await session.execute(counted)).all())
    assert found == {
        "closed": 4, "cancelled": 1, "no_show": 1, "out": 3, "confirmed": 5, "expired": 1,
    }  # fmt: skip
    async with await site.person(made, Role.OWNER) as client:
        prices = (await client.get("/car-hire/desk/prices")).text
        assert "Christmas and New Year" in prices
        assert "Counts now" in prices
        today = await client.get("/car-hire/desk")
        assert today.status_code == 200
        assert "Sean O&#39;Connor" in (await client.get("/car-hire/desk/bookings")).text
        assert (await client.get("/car-hire")).status_code == 200
