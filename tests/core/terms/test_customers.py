"""A business's own terms: published at its desk, accepted at registration and at the checkout."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import select

from atrium.testing.forms import fields_of
from atrium.testing.site import Site
from core.permissions import Role
from core.scope import Tenant
from core.terms.models import TermsAcceptance
from tests.plugins.car_hire.shop import Shop

PUBLISH = "/settings/terms"


@pytest.fixture(scope="module")
async def tenant(site: Site) -> Tenant:
    """A business of these tests' own, with car hire."""
    return await site.world.provision()


@pytest.fixture
async def owner(site: Site, tenant: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever publishes there."""
    async with await site.person(tenant, Role.OWNER) as client:
        yield client


async def publish(owner: httpx.AsyncClient, text: str) -> None:
    form = fields_of((await owner.get(PUBLISH)).text, PUBLISH).values
    answer = await owner.post(PUBLISH, data=form | {"text_en": text})
    assert answer.status_code == 303, answer.text


def key_in(page: str) -> str:
    return page.partition('name="terms" value="')[2].partition('"')[0]


async def test_only_who_may_change_settings_publishes(site: Site, tenant: Tenant) -> None:
    """Neither staff nor customers nor anybody."""
    for role in (Role.STAFF, Role.MEMBER):
        async with await site.person(tenant, role) as client:
            assert (await client.get(PUBLISH)).status_code == 403
            assert (await client.post(PUBLISH, data={"text_en": "x"})).status_code == 403


async def test_a_customer_accepts_at_registration_and_again_at_the_checkout(
    site: Site, tenant: Tenant, owner: httpx.AsyncClient
) -> None:
    """Nothing is due in between; after a new version the next booking asks, and staff never."""
    await publish(owner, "Bring it back.")
    async with site.visitor(tenant) as customer:
        form = await customer.get("/sign-up")
        mine = {
            "name": "Ana Reis",
            "email": f"ana.{secrets.token_hex(5)}@example.com",
            "password": "correct horse 42",
        }
        refused = await customer.post("/sign-up", data=mine)
        assert refused.status_code == 422
        assert "Tick this to go on" in refused.text
        made = await customer.post("/sign-up", data=mine | {"terms": key_in(form.text)})
        assert made.status_code == 303, made.text
        shop = await Shop.open(site.world.databases, tenant, cars=2)
        quote = await shop.quote()
        here = f"/car-hire/quotes/{quote.id}"
        assert not key_in((await customer.get(here)).text)
        await publish(owner, "Bring it back clean.")
        licence = {
            "licence_number": f"L-{secrets.token_hex(4)}",
            "licence_country": "PT",
            "licence_expires": "2040-01-01",
            "born": "1980-01-01",
        }
        refused = await customer.post(f"{here}/booking", data=licence)
        assert refused.status_code == 422
        assert "Tick this to go on" in refused.text
        key = key_in(refused.text)
        booked = await customer.post(f"{here}/booking", data=licence | {"terms": key})
        assert booked.status_code == 303, booked.text
        told = (await customer.get("/account/data")).json()["terms"]
    assert [each["version"] for each in told] == [1, 2]
    assert (await owner.get(here)).status_code == 200
    async with site.world.databases.transaction(tenant) as session:
        kept = (await session.scalars(select(TermsAcceptance))).all()
    assert len(kept) == 2


async def test_a_customer_who_signs_in_is_asked(
    site: Site, tenant: Tenant, owner: httpx.AsyncClient
) -> None:
    """And may say not now: what they have booked must not wait for it."""
    async with site.visitor(tenant) as customer:
        page = await customer.get("/sign-up")
        email = f"rui.{secrets.token_hex(5)}@example.com"
        mine = {"name": "Rui", "email": email, "password": "correct horse 42"}
        await customer.post("/sign-up", data=mine | {"terms": key_in(page.text)})
        await publish(owner, f"Again {secrets.token_hex(3)}")
        known = {"email": email, "password": "correct horse 42", "next": "/car-hire/bookings"}
        answer = await customer.post("/sign-in", data=known)
        way = answer.headers["location"]
        assert way == "/terms/acceptance?next=/car-hire/bookings"
        page = await customer.get(way)
        assert 'href="/car-hire/bookings"' in page.text
        assert (await customer.get("/car-hire/bookings")).status_code == 200


async def test_an_erased_customer_leaves_the_acceptance_without_a_place(
    site: Site, tenant: Tenant, owner: httpx.AsyncClient
) -> None:
    """That it was accepted is evidence; from where is theirs."""
    user_id = await site.enrol(tenant, Role.MEMBER)
    world = site.world
    async with world.databases.transaction(tenant) as session:
        session.add(
            TermsAcceptance(
                user_id=user_id, kind="terms", number=1, locale="en", digest="d",
                address="203.0.113.0/24",
            )
        )  # fmt: skip
    answer = await owner.post(f"/settings/people/{user_id}/erasure", data={"confirm": "on"})
    assert answer.status_code in {200, 303}, answer.text
    async with world.databases.transaction(tenant) as session:
        query = select(TermsAcceptance).where(TermsAcceptance.user_id == user_id)
        (kept,) = await session.scalars(query)
    assert (kept.address, kept.digest) == (None, "d")
