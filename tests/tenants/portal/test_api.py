"""The same by JSON: order, look, follow, list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from atrium.testing.site import Site
from core.permissions import Role
from tests.tenants.portal.conftest import make, rows


@pytest.fixture
async def caller(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A program with an account's token."""
    account = await site.enrol(site.world.platform, Role.MEMBER)
    async with site.world.databases.transaction(site.world.platform) as session:
        token = await site.sessions.begin(session, account, "api")
    async with site.visitor(site.world.platform, authorization=f"Bearer {token}") as client:
        yield client


def order(**changed: Any) -> dict[str, Any]:
    """A right order."""
    right = {
        "name": "API Wheels",
        "slug": f"api-{UUID(int=id(changed)).hex[-8:]}",
        "zone": "Europe/Lisbon",
        "currency": "EUR",
        "products": ["car_hire"],
    }
    return right | changed


async def test_a_business_is_ordered_and_followed(site: Site, caller: httpx.AsyncClient) -> None:
    """201 with the business; its progress goes from waiting to done; the list has it."""
    made = await caller.post("/api/v1/businesses", json=order(slug="api-wheels"))
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["status"], body["role"]) == ("provisioning", "owner")
    progress = f"/api/v1/businesses/{body['id']}/progress"
    assert (await caller.get(progress)).json()["state"] == "waiting"
    await make(site.world, "api-wheels")
    assert (await caller.get(progress)).json()["state"] == "done"
    (listed,) = (await caller.get("/api/v1/businesses")).json()["items"]
    assert (listed["slug"], listed["status"]) == ("api-wheels", "active")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"slug": "www"}, "slug"),
        ({"slug": 7}, "slug"),
        ({"zone": "Nowhere"}, "zone"),
        ({"currency": "DOGE"}, "currency"),
        ({"country": "QQ"}, "country"),
        ({"products": []}, "products"),
        ({"products": ["teleport"]}, "products"),
        ({"hosting": "cloud"}, "hosting"),
        ({"price": 0}, "price"),
    ],
)
async def test_a_wrong_order_names_the_field(
    caller: httpx.AsyncClient, changed: dict[str, Any], field: str
) -> None:
    """422 as problem+json."""
    answer = await caller.post("/api/v1/businesses", json=order(**changed))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in {error["field"] for error in answer.json()["errors"]}


async def test_a_taken_address_is_a_conflict(caller: httpx.AsyncClient) -> None:
    """409 with a code for programs, and nothing is made."""
    answer = await caller.post("/api/v1/businesses", json=order(slug="acme"))
    assert answer.status_code == 409
    assert answer.json()["code"] == "slug_taken"


async def test_ordering_needs_an_account(site: Site) -> None:
    """401 without one."""
    async with site.visitor(site.world.platform) as visitor:
        answer = await visitor.post("/api/v1/businesses", json=order())
    assert answer.status_code == 401


async def test_an_address_is_looked_up(caller: httpx.AsyncClient) -> None:
    """Free or not, why, and what else."""
    free = (await caller.get("/api/v1/addresses/quite-free")).json()
    assert free == {"slug": "quite-free", "available": True, "reason": None, "suggestions": []}
    taken = (await caller.get("/api/v1/addresses/acme")).json()
    assert taken["available"] is False
    assert taken["suggestions"]


async def test_a_repeated_key_orders_once(site: Site, caller: httpx.AsyncClient) -> None:
    """The same Idempotency-Key gives the same answer and makes one business."""
    wanted = order(slug="api-once")
    answers = [
        await caller.post(
            "/api/v1/businesses", json=wanted, headers={"idempotency-key": "once-and-for-all"}
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    made = await rows(site.world, "SELECT 1 FROM tenants WHERE slug = 'api-once'")
    assert len(made) == 1
