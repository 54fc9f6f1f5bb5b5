"""What is kept of a person is told to them, and forgotten on request, whichever part keeps it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from atrium.testing.checks.personal import tells_of_people
from atrium.testing.routes import routes
from atrium.testing.site import Site
from core.auth.allowances import OWN_DATA
from core.auth.authority import LOCAL_COOKIE
from core.db import Base
from core.origin import networks
from core.permissions import Role
from plugins.car_hire.models import Customer
from tenants.migration.lines import PLATFORM
from tests.plugins.car_hire.shop import Shop

NOBODYS = {
    "payment_accounts": "the business's own keys",
    "webhook_endpoints": "the business's own secrets",
    "payments": "amounts and a vendor's secret: whose they are, the booking says",
}


def test_every_table_that_tells_of_people_is_listed(site: Site) -> None:
    """By the part whose it is: a table that is added tomorrow must be told and forgotten too."""
    parts = site.edge.tenants.state["plugins"]
    listed = {name for part in parts for each in part.personal for name in each.tables}
    found = {
        table.name
        for table in Base.metadata.sorted_tables
        if table.info.get("line") != PLATFORM and tells_of_people(table)
    }
    assert found - listed - NOBODYS.keys() == set()
    assert {name for name in listed if name not in Base.metadata.tables} == set()


@pytest.fixture
async def hirer(site: Site) -> AsyncIterator[tuple[Shop, httpx.AsyncClient, str, str]]:
    """A customer with an account, their client, and words that only they left here."""
    shop = await Shop.open(site.world.databases, site.world.acme, cars=2)
    user_id = await site.enrol(shop.tenant, Role.MEMBER)
    licence = f"L-{user_id.hex[-9:]}"
    async with shop.transaction() as session:
        customer = await session.get(Customer, shop.customer.id)
        assert customer is not None
        customer.user_id, customer.licence_number = user_id, licence
        token = await site.sessions.begin(session, user_id)
    async with site.visitor(shop.tenant) as client:
        client.cookies.set(LOCAL_COOKIE, token)
        yield shop, client, str(user_id), licence


async def test_a_person_downloads_what_is_kept_of_them(
    hirer: tuple[Shop, httpx.AsyncClient, str, str],
) -> None:
    """Account, licence, bookings and deeds; no secret, and nobody else."""
    shop, client, user_id, licence = hirer
    booking = await shop.book()
    answer = await client.get("/account/data")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    found: dict[str, Any] = answer.json()
    assert found["account"][0]["id"] == user_id
    assert found["account"][0]["signed_in"]
    customer = found["car_hire.customers"][0]
    assert customer["licence_number"] == licence
    assert [each["number"] for each in customer["bookings"]] == [booking.number]
    assert not any(word in answer.text for word in ("password_hash", "token"))


async def test_nobody_is_forgotten_while_something_is_open(
    site: Site, hirer: tuple[Shop, httpx.AsyncClient, str, str]
) -> None:
    """The business hears what must end first, and nothing is half forgotten."""
    shop, client, user_id, licence = hirer
    await shop.book()
    async with await site.person(shop.tenant, Role.OWNER) as owner:
        answer = await owner.post(f"/settings/people/{user_id}/erasure")
    assert answer.status_code == 409
    assert "has a booking that is not over" in answer.text
    assert licence in (await client.get("/account/data")).text


async def test_all_letters_are_not_opened_time_and_again(
    site: Site,
    hirer: tuple[Shop, httpx.AsyncClient, str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file that costs much to put together is had so many times an hour."""
    monkeypatch.setattr(site.edge.tenants.state["authority"], "proxies", networks("0.0.0.0/0"))
    client = hirer[1]
    client.headers["x-forwarded-for"] = "203.0.113.99"
    for _ in range(OWN_DATA.attempts):
        assert (await client.get("/account/data")).status_code == 200
    assert (await client.get("/account/data")).status_code == 429


async def test_a_person_is_forgotten_everywhere_on_request(
    site: Site, hirer: tuple[Shop, httpx.AsyncClient, str, str]
) -> None:
    """Signed out, without name, address or licence; the bill and the log of deeds stay."""
    shop, client, user_id, licence = hirer
    booking, hire_id = await shop.out()
    await shop.back(hire_id)
    async with shop.transaction() as session:
        sql = "UPDATE car_hire_bookings SET state = 'closed' WHERE id = :id"
        await session.execute(text(sql), {"id": booking.id})
    email = (await client.get("/account/data")).json()["account"][0]["email"]
    async with await site.person(shop.tenant, Role.OWNER) as owner:
        answer = await owner.post(f"/settings/people/{user_id}/erasure")
        assert answer.status_code == 303, answer.text
        desk = await owner.get(f"/car-hire/desk/customers/{shop.customer.id}")
        kept = await owner.get(f"/car-hire/desk/bookings/{booking.id}")
    assert (await client.get("/account")).status_code == 303
    assert kept.status_code == 200
    for word in (licence, email, shop.customer.name, shop.customer.email):
        assert word not in desk.text + kept.text
    async with shop.transaction() as session:
        for table in ("users", "car_hire_customers", "sessions", "mails"):
            rows = await session.execute(text(f"SELECT t::text FROM {table} t"))
            assert not any(email in row[0] for row in rows)


async def test_only_who_manages_people_may_forget_one(
    site: Site, hirer: tuple[Shop, httpx.AsyncClient, str, str]
) -> None:
    """Staff may not, nobody erases themselves, and the route is there."""
    shop, _, user_id, _ = hirer
    path = "/settings/people/{person_id}/erasure"
    assert any(route.path == path for route in routes(site.edge.tenants))
    async with await site.person(shop.tenant, Role.STAFF) as colleague:
        answer = await colleague.post(f"/settings/people/{user_id}/erasure")
    assert answer.status_code == 403
