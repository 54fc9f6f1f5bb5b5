"""Customers who pay at pick-up, where the business offers it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from atrium.testing.site import Site
from core.audit.models import AuditEntry
from core.db import Databases
from core.mail.models import Mail
from core.permissions import Role
from core.scope import Tenant
from plugins.car_hire.services import bookings, changing, hires, paying_later
from plugins.car_hire.services.paying_later import PAY_AT_DESK
from tenants.flags import services as flags
from tests.plugins.car_hire.shop import Shop, customer_input
from tests.plugins.car_hire.test_pages import typed, walls

SITE, DESK = "/car-hire", "/car-hire/desk/bookings"
API = "/api/v1/car-hire/bookings"


@pytest.fixture
async def offering(site: Site) -> AsyncIterator[Shop]:
    """A business of the test's own that lets customers pay at pick-up, and takes no cards."""
    tenant = await site.world.provision()
    made = Databases(pool_size=5)
    await switch(site, tenant, is_on=True)
    served = await site.world.directory.by_id(tenant.id)
    assert served is not None
    yield await Shop.open(made, served)
    await made.dispose()


async def switch(site: Site, tenant: Tenant, *, is_on: bool) -> None:
    """What the owner does in the portal."""
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        await flags.choose(session, world.signals, tenant.id, PAY_AT_DESK, is_on)


async def booked(client: httpx.AsyncClient, shop: Shop) -> str:
    """The page of a booking that a customer just made; it awaits its payment."""
    given = walls(shop) | {"class_id": str(shop.vehicle_class.id)}
    quoted = await client.post(f"{SITE}/quotes", data=given)
    licence = typed(customer_input())
    del licence["name"], licence["email"]
    made = await client.post(f"{quoted.headers['location']}/booking", data=licence)
    assert made.status_code == 303, made.text[:2000]
    return str(made.headers["location"])


async def test_a_customer_books_without_a_card_and_pays_at_the_desk(
    site: Site, offering: Shop
) -> None:
    """Confirmed at once and told so by letter; the car waits for the money; then it goes."""
    shop = offering
    async with await site.person(shop.tenant, Role.MEMBER) as client:
        page = await booked(client, shop)
        assert "Pay at pick-up" in (await client.get(page)).text
        assert (await client.post(f"{page}/pay-at-desk")).status_code == 303
        shown = (await client.get(page)).text
        assert "when you pick it up" in shown
        assert "Booked and paid" not in shown
        booking_id = page.rpartition("/")[2]
        again = await client.post(f"{page}/pay-at-desk")
        assert again.status_code == 409
        assert (await client.post(f"{API}/{booking_id}/desk-payment")).status_code == 403
    async with shop.transaction() as session:
        booking = (await bookings.page(session))[0][0]
        letters = [each.text for each in await session.scalars(select(Mail))]
        [letter] = [each for each in letters if booking.number in each]
        assert "To pay at pick-up" in letter
        assert "booked and paid" not in letter
    async with await site.person(shop.tenant) as clerk:
        here = f"{DESK}/{booking.id}"
        assert "Paid otherwise" in (await clerk.get(here)).text
        hand_over = typed(shop.readings(booking), steps=None)
        early = await clerk.post(f"{here}/hire", data=hand_over)
        assert early.status_code == 409
        assert "not paid yet" in early.text
        assert (await clerk.post(f"{here}/desk-payment")).status_code == 303
        assert (await clerk.post(f"{here}/desk-payment")).status_code == 409
        started = await clerk.post(f"{here}/hire", data=hand_over)
        assert started.status_code == 303, started.text[:2000]
        assert "Price received at the desk" in (await clerk.get(here)).text
    async with shop.transaction() as session:
        assert await hires.of_booking(session, booking.id) is not None
        wanted = select(AuditEntry).where(AuditEntry.action == "car_hire.paid_at_desk")
        assert (await session.scalar(wanted)) is not None


async def test_where_it_is_not_offered_it_cannot_be_had(site: Site, offering: Shop) -> None:
    """Switched off, neither the page nor a program does it; what was promised stands."""
    shop = offering
    async with await site.person(shop.tenant, Role.MEMBER) as client:
        promised = await booked(client, shop)
        assert (await client.post(f"{promised}/pay-at-desk")).status_code == 303
        await switch(site, shop.tenant, is_on=False)
        page = await booked(client, shop)
        assert "Pay at pick-up" not in (await client.get(page)).text
        refused = await client.post(f"{page}/pay-at-desk")
        assert refused.status_code == 409
        assert "paid by card here" in refused.text
        answer = await client.post(f"{API}/{page.rpartition('/')[2]}/pay-at-desk")
        assert answer.json()["code"] == "car_hire.not_now"
        assert "when you pick it up" in (await client.get(promised)).text


async def test_programs_book_and_are_told(site: Site, offering: Shop) -> None:
    """By the API, once for each key; the desk's program says that the money is there."""
    shop = offering
    async with await site.person(shop.tenant, Role.MEMBER) as client:
        here = f"{API}/{(await booked(client, shop)).rpartition('/')[2]}"
        key = {"idempotency-key": "k" * 16}
        made = await client.post(f"{here}/pay-at-desk", headers=key)
        assert made.status_code == 201, made.text
        assert (made.json()["state"], made.json()["owed_at_pick_up"]) == ("confirmed", True)
        again = await client.post(f"{here}/pay-at-desk", headers=key)
        assert again.json() == made.json()
        async with await site.person(shop.tenant, Role.MEMBER) as other:
            assert (await other.post(f"{here}/pay-at-desk")).status_code == 404
    async with await site.person(shop.tenant) as clerk:
        paid = await clerk.post(f"{here}/desk-payment", headers=key)
        assert (paid.status_code, paid.json()["owed_at_pick_up"]) == (201, False)


async def test_a_change_of_what_is_owed_has_one_price(offering: Shop) -> None:
    """Nothing was paid, so no difference is kept for the bill: the new price is owed."""
    shop = offering
    booking = await shop.book(hours=48)
    async with shop.transaction() as session:
        await paying_later.promise(session, booking.id)
    async with shop.transaction() as session:
        later = booking.ends_at + timedelta(days=1)
        changed = await changing.change_dates(session, booking.id, booking.starts_at, later)
        assert changed.gross > booking.gross
        assert (changed.paid_quote_id, changed.owed_at_pick_up) == (None, True)
