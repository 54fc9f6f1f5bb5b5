"""Limits of one tenant: granted, used, refused and shown."""

from __future__ import annotations

from datetime import timedelta

import httpx
from sqlalchemy import text

from atrium.testing.site import Site
from core.clock import now
from core.permissions import Role
from core.scope import Tenant
from tests.plugins.car_hire.shop import Shop, vehicle_input
from tests.tenants.operator.test_api import acts

VEHICLES, PEOPLE = "car_hire.vehicles", "core.people"


def api(tenant: Tenant, name: str = "") -> str:
    """Where the limits of a tenant are."""
    return f"/api/v1/operator/tenants/{tenant.id}/limits{'/' + name if name else ''}"


async def test_a_fleet_ends_at_what_was_granted(site: Site, writer: httpx.AsyncClient) -> None:
    """The car too many is refused by name and number; a retired one makes room; withdrawn, what
    is declared holds again at once."""
    tenant = await site.world.provision()
    shop = await Shop.open(site.world.databases, tenant, cars=2)
    granted = await writer.put(api(tenant, VEHICLES), json={"allowed": 2, "reason": "A trial"})
    assert granted.status_code == 200, granted.text
    told = {each["limit"]: each for each in granted.json()}
    assert (told[VEHICLES]["declared"], told[VEHICLES]["allowed"]) == (1000, 2)
    assert (told[VEHICLES]["used"], told[VEHICLES]["reason"]) == (2, "A trial")
    async with await site.person(tenant, Role.OWNER) as owner:
        car = vehicle_input(shop.vehicle_class.id)
        body = {name: getattr(car, name) for name in car.__struct_fields__}
        body["class_id"] = str(body["class_id"])
        refused = await owner.post("/api/v1/car-hire/vehicles", json=body)
        assert refused.status_code == 409, refused.text
        problem = refused.json()
        assert problem["code"] == "quota_exceeded"
        assert (problem["limit"], problem["used"], problem["allowed"]) == (VEHICLES, 2, 2)
        assert "Retire a car" in problem["remedy"]
        old = f"/api/v1/car-hire/vehicles/{shop.cars[0].id}"
        seen = await owner.get(old)
        changed = {key: value for key, value in seen.json().items() if key in body and value}
        etag = {"if-match": seen.headers["etag"]}
        retired = await owner.put(old, json=changed | {"status": "retired"}, headers=etag)
        assert retired.status_code == 200, retired.text
        assert (await owner.post("/api/v1/car-hire/vehicles", json=body)).status_code == 201
        etag = {"if-match": retired.headers["etag"]}
        back = await owner.put(old, json=changed, headers=etag)
        assert back.json()["code"] == "quota_exceeded"
        assert (await writer.delete(api(tenant, VEHICLES))).status_code == 200
        assert (await writer.delete(api(tenant, VEHICLES))).status_code == 404
        assert (await owner.put(old, json=changed, headers=etag)).status_code == 200
    done = [act for act, _ in await acts(site, str(tenant.id))]
    assert done[-2:] == ["operator.limit_granted", "operator.limit_withdrawn"]


async def test_seats_are_taken_and_freed(
    site: Site, tenant: Tenant, writer: httpx.AsyncClient
) -> None:
    """By inviting, by a role, by disabling; customers need none."""
    async with await site.person(tenant, Role.OWNER) as owner:
        body = {"allowed": 3, "reason": "Small"}
        used = (await writer.put(api(tenant, PEOPLE), json=body)).json()[0]["used"]
        assert used == 2  # who signed it up, and this one

        async def invite(name: str, role: str) -> httpx.Response:
            typed = {"name": name, "email": f"{name}@{tenant.slug}.example", "role": role}
            return await owner.post("/settings/people/invite", data=typed)

        assert (await invite("ana", "member")).status_code in {200, 201, 303}
        assert (await invite("rui", "staff")).status_code in {200, 201, 303}
        refused = await invite("eva", "staff")
        assert refused.status_code == 409
        assert "3 of 3 are used" in refused.text
        async with site.world.databases.transaction(tenant) as session:
            rows = await session.execute(text("SELECT name, id FROM users"))
            known = {row.name: row.id for row in rows}
        promoted = await owner.post(
            f"/settings/people/{known['ana']}", data={"name": "ana", "role": "staff"}
        )
        assert promoted.status_code == 409
        freed = await owner.post(f"/settings/people/{known['rui']}/disable")
        assert freed.status_code == 303
        promoted = await owner.post(
            f"/settings/people/{known['ana']}", data={"name": "ana", "role": "staff"}
        )
        assert promoted.status_code == 303, promoted.text
        enabled = await owner.post(f"/settings/people/{known['rui']}/enable")
        assert enabled.status_code == 409


async def test_what_cannot_be_granted_is_named(tenant: Tenant, writer: httpx.AsyncClient) -> None:
    """With the field; and a limit that nobody declares does not exist."""
    gone = (now() - timedelta(days=1)).isoformat()
    for wrong, field in (
        ({"allowed": 3}, "reason"),
        ({"allowed": -1, "reason": "x"}, "allowed"),
        ({"allowed": 3, "reason": "x", "until": gone}, "until"),
    ):
        answer = await writer.put(api(tenant, PEOPLE), json=wrong)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
    answer = await writer.put(api(tenant, "nobody.knows"), json={"reason": "x"})
    assert answer.status_code == 404


async def test_the_owner_sees_what_is_used_and_is_warned(
    site: Site, tenant: Tenant, writer: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    """Bars on a page of its own; from 80 % on a notice on the page of the business."""
    page = await operator.get(f"/operator/tenants/{tenant.id}/limits")
    assert "People who work there" in page.text
    typed = {"limit": PEOPLE, "allowed": "1", "reason": "Full", "until": ""}
    answer = await operator.post(f"/operator/tenants/{tenant.id}/limits", data=typed)
    assert answer.status_code == 303, answer.text
    world = site.world
    async with await site.person(world.platform, Role.MEMBER) as client:
        account = await client.get("/account/data")
        mine = account.json()["account"][0]["id"]
        async with world.databases.transaction(tenant) as session:
            owner = await session.scalar(text("SELECT id FROM users WHERE role = 'owner'"))
        async with world.databases.transaction(world.platform) as session:
            await session.execute(
                text(
                    "INSERT INTO memberships (tenant_id, account_id, user_id, role, created_at)"
                    " VALUES (:tenant, :account, :owner, 'owner', now())"
                ),
                {"tenant": tenant.id, "account": mine, "owner": owner},
            )
        usage = await client.get(f"/businesses/{tenant.id}/usage")
        assert 'data-state="full"' in usage.text
        assert "1 of 1" in usage.text
        business = await client.get(f"/businesses/{tenant.id}")
        assert "There is no room for more." in business.text
