"""Staff who are bound to a branch see and work what is theirs, on whatever page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from atrium.testing.routes import routes
from atrium.testing.site import Site
from core.auth.models import User
from core.permissions import Role
from plugins.car_hire.models import CashDesk
from plugins.car_hire.services import hires
from plugins.car_hire.services.branches import reach
from tests.plugins.car_hire.firm import Firm

OWN = ("booking_id", "vehicle_id", "hire_id")


@asynccontextmanager
async def _clerk(
    site: Site, firm: Firm, branch_id: UUID | None
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at the desk, bound to a branch or to none."""
    async with firm.transaction() as session:
        before = set(await session.scalars(select(User.id)))
    async with await site.person(firm.tenant, Role.STAFF) as client:
        async with firm.transaction() as session:
            (user_id,) = set(await session.scalars(select(User.id))) - before
            if branch_id:
                await reach.bind_to(session, branch_id, [user_id])
        yield client


async def test_what_is_elsewhere_does_not_exist_to_a_bound_clerk(site: Site, firm: Firm) -> None:
    """Every page and every address of the API that names a booking, a hire or a car, asked from
    the table of routes; at their own branch the same addresses answer."""
    booking = await firm.booked(1, 20, firm.round_trip)
    async with firm.transaction() as session:
        hire = await hires.prepare(session, firm.readings(booking))
    ids = {"booking_id": booking.id, "vehicle_id": booking.vehicle_id, "hire_id": hire.id}
    asked = [
        route
        for route in routes(site.edge.tenants)
        if route.method == "GET"
        and any("{" + name in route.path for name in OWN)
        and route.path.count("{") == 1
        and "car-hire" in route.path
    ]
    async with _clerk(site, firm, None) as anybody:
        asked = [each for each in asked if (await anybody.get(each.at(ids))).status_code != 404]
    assert len(asked) > 10
    async with _clerk(site, firm, firm.away) as stranger:
        for route in asked:
            answer = await stranger.get(route.at(ids))
            assert answer.status_code in {403, 404}, route.path
        assert booking.number not in (await stranger.get("/car-hire/desk/bookings")).text
        api = "/api/v1/car-hire"
        gone = await stranger.post(f"{api}/bookings/{booking.id}/cancellation", headers=_key("1"))
        moved = await stranger.post(f"/car-hire/desk/bookings/{booking.id}/pin")
        lists = [await stranger.get(f"/car-hire/desk{path}") for path in ("", "/fleet/board")]
        listed = await stranger.get(f"{api}/vehicles?text={firm.cars[0].plate}")
    assert {gone.status_code, moved.status_code} <= {403, 404}
    assert all(firm.cars[0].plate not in page.text for page in lists)
    assert firm.cars[0].plate not in listed.text
    async with _clerk(site, firm, firm.home) as clerk:
        for route in asked:
            assert (await clerk.get(route.at(ids))).status_code != 404, route.path


async def test_a_hire_between_two_branches_is_seen_at_both(site: Site, firm: Firm) -> None:
    booking = await firm.booked(30, 20, firm.there)
    for branch_id in (firm.home, firm.away):
        async with _clerk(site, firm, branch_id) as clerk:
            page = await clerk.get(f"/car-hire/desk/bookings/{booking.id}")
            assert page.status_code == 200


async def test_each_branch_has_a_cash_desk(site: Site, firm: Firm) -> None:
    """What one counts, the other does not see."""
    for branch_id, opening in ((firm.home, "50.00"), (firm.away, "80.00")):
        async with _clerk(site, firm, branch_id) as clerk:
            opened = await clerk.post("/car-hire/desk/cash/opening", data={"opening": opening})
            assert opened.status_code == 303
            page = (await clerk.get("/car-hire/desk/cash")).text
            assert opening in page
            count = {"counted": opening, "note": ""}
            assert (await clerk.post("/car-hire/desk/cash/count", data=count)).status_code == 303
    async with firm.transaction() as session:
        query = select(CashDesk.branch_id, CashDesk.counted).where(
            CashDesk.branch_id.in_((firm.home, firm.away))
        )
        found = dict((await session.execute(query)).all())
    assert found == {firm.home: Decimal(50), firm.away: Decimal(80)}


async def test_the_owner_says_who_works_where(site: Site, firm: Firm) -> None:
    at = f"/car-hire/desk/branches/{firm.home}"
    user_id = await site.enrol(firm.tenant, Role.STAFF)
    customer = await site.enrol(firm.tenant, Role.MEMBER)
    async with await site.person(firm.tenant, Role.OWNER) as owner:
        saved = await owner.post(f"{at}/staff", data={"user_ids": str(user_id)})
        assert saved.status_code == 303
        refused = await owner.post(f"{at}/staff", data={"user_ids": str(customer)})
        assert refused.status_code == 422
        assert f'value="{user_id}" checked' in (await owner.get(at)).text
    async with await site.person(firm.tenant, Role.STAFF) as clerk:
        assert (await clerk.post(f"{at}/staff", data={})).status_code == 403
    async with firm.transaction() as session:
        assert await reach.bound_to(session, firm.home) == [user_id]


def _key(key: str) -> dict[str, str]:
    return {"idempotency-key": key}


@pytest.fixture(autouse=True)
async def unbound(firm: Firm) -> AsyncIterator[None]:
    """Whoever was bound is bound no more: people are everybody's."""
    yield
    async with firm.transaction() as session:
        for branch_id in (firm.home, firm.away):
            await reach.bind_to(session, branch_id, [])
