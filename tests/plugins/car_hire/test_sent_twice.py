"""Forms that create something, sent twice: the second click finds what the first one made."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from atrium.testing.site import Site
from core.permissions import Role
from plugins.car_hire.models import Booking, Customer, Quote, Vehicle, VehicleClass
from tests.plugins.car_hire.shop import Shop, class_input, customer_input, vehicle_input
from tests.plugins.car_hire.test_pages import DESK, SITE, typed, walls

CREATING = ["walk-in", "car", "customer", "class"]


def filled(shop: Shop, form: str) -> tuple[str, dict[str, str], Any]:
    """Where the form is, what is typed into it, and how to count what it makes."""
    ids = {"class_id": str(shop.vehicle_class.id), "customer_id": str(shop.customer.id)}
    person, kind, car = customer_input(), class_input(), vehicle_input(shop.vehicle_class.id)
    return {
        "walk-in": (
            "/bookings/new",
            walls(shop) | ids,
            select(func.count(Booking.id)).where(Booking.customer_id == shop.customer.id),
        ),
        "car": (
            "/fleet/new",
            typed(car),
            select(func.count(Vehicle.id)).where(Vehicle.plate == car.plate.upper()),
        ),
        "customer": (
            "/customers/new",
            typed(person),
            select(func.count(Customer.id)).where(Customer.email == person.email),
        ),
        "class": (
            "/classes/new",
            typed(kind),
            select(func.count(VehicleClass.id)).where(VehicleClass.name == kind.name),
        ),
    }[form]


def key_in(page: httpx.Response) -> dict[str, str]:
    found = re.search(r'name="form_key" value="([0-9a-f]{32})"', page.text)
    assert found is not None, page.text[:3000]
    return {"form_key": found[1]}


@pytest.mark.parametrize("form", CREATING)
async def test_a_form_sent_four_times_at_once_makes_one(site: Site, shop: Shop, form: str) -> None:
    """And all four lead to the same page."""
    path, given, count = filled(shop, form)
    async with await site.person(shop.tenant, Role.OWNER) as client:
        given |= key_in(await client.get(DESK + path))
        answers = await asyncio.gather(
            *(client.post(DESK + path, data=given) for _ in range(4))
        )  # fmt: skip
    assert [each.status_code for each in answers] == [303] * 4, answers[-1].text[:3000]
    assert len({each.headers["location"] for each in answers}) == 1
    async with shop.transaction() as session:
        assert await session.scalar(count) == 1


@pytest.mark.usefixtures("believed")
async def test_a_price_asked_for_twice_is_one_quote(site: Site, shop: Shop) -> None:
    """By a visitor who is not signed in."""
    given = walls(shop) | {"class_id": str(shop.vehicle_class.id)}
    async with site.visitor(shop.tenant, **{"x-forwarded-for": "203.0.113.9"}) as client:
        given |= key_in(await client.get(SITE, params=walls(shop)))
        answers = await asyncio.gather(
            *(client.post(f"{SITE}/quotes", data=given) for _ in range(4))
        )  # fmt: skip
    assert len({each.headers["location"] for each in answers}) == 1
    async with shop.transaction() as session:
        count = select(func.count(Quote.id)).where(Quote.class_id == shop.vehicle_class.id)
        assert await session.scalar(count) == 1


async def test_the_same_form_with_other_values_is_meant(site: Site, shop: Shop) -> None:
    """Who goes back and books other dates gets a second booking; a refused form can be mended."""
    path, given, count = filled(shop, "walk-in")
    async with await site.person(shop.tenant) as client:
        given |= key_in(await client.get(DESK + path))
        wrong = await client.post(DESK + path, data=given | {"ends_at": given["starts_at"]})
        first = await client.post(DESK + path, data=given)
        other = await client.post(DESK + path, data=given | walls(shop, hours=60))
    assert wrong.status_code == 422
    assert key_in(wrong) != {"form_key": given["form_key"]}
    assert first.status_code == other.status_code == 303
    assert first.headers["location"] != other.headers["location"]
    async with shop.transaction() as session:
        assert await session.scalar(count) == 2
