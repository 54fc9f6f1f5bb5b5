"""The control-plane API: order, follow, read, change and stop tenants as a program does."""

from __future__ import annotations

import secrets

import httpx
from sqlalchemy import select

from atrium.testing.site import Site
from core.audit.models import AuditEntry
from core.auth.models import User
from core.mail.models import Mail
from core.scope import Tenant
from tests.tenants.operator.conftest import wanted
from tests.tenants.portal.conftest import make

API = "/api/v1/operator/tenants"


async def acts(site: Site, tenant_id: str) -> list[tuple[str, str]]:
    """What the audit log of tenant zero says was done with a tenant, and by whom."""
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        query = select(AuditEntry).where(AuditEntry.subject_id == tenant_id)
        found = await session.scalars(query.order_by(AuditEntry.id))
        return [(each.action, each.actor_name) for each in found]


async def test_a_tenant_is_ordered_and_becomes_active(
    site: Site, writer: httpx.AsyncClient
) -> None:
    """201 and provisioning, once for each key; active when the worker is done with it."""
    body, key = wanted(), {"idempotency-key": secrets.token_hex(8)}
    made = await writer.post(API, json=body, headers=key)
    again = await writer.post(API, json=body, headers=key)
    assert (made.status_code, again.status_code) == (201, 201)
    tenant = made.json()
    assert (tenant["status"], again.json()["id"]) == ("provisioning", tenant["id"])
    assert (tenant["plugins"], tenant["run"]["state"]) == ({"car_hire": "installing"}, "waiting")
    await make(site.world, body["slug"])
    read = (await writer.get(f"{API}/{tenant['id']}")).json()
    assert (read["status"], read["plugins"]) == ("active", {"car_hire": "enabled"})
    assert (read["slug"], read["database"], read["hosting"]) == (body["slug"], "main", "pooled")
    assert read["owners"] == [body["owner"]["email"]]
    run = (await writer.get(f"{API}/{tenant['id']}/run")).json()
    assert (run["state"], run["share"]) == ("done", 1.0)
    by_slug = await writer.get(f"{API}/by-slug/{body['slug']}")
    assert by_slug.json() == read
    assert [act for act, _ in await acts(site, tenant["id"])] == ["operator.tenant_ordered"]


async def test_an_owner_without_an_account_gets_one_and_a_letter(
    site: Site, writer: httpx.AsyncClient
) -> None:
    """With a link to choose a password; who has an account is left in peace."""
    body = wanted()
    assert (await writer.post(API, json=body)).status_code == 201
    second = wanted(owner=body["owner"])
    assert (await writer.post(API, json=second)).status_code == 201
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        letters = (await session.scalars(
            select(Mail).where(Mail.template == "operator/mail/invitation")
        )).all()  # fmt: skip
        mine = [each for each in letters if each.recipient == body["owner"]["email"]]
        role = await session.scalar(select(User.role).where(User.email == body["owner"]["email"]))
    assert len(mine) == 1
    assert "/invitation?token=" in mine[0].text
    assert role == "member"


async def test_an_address_that_nobody_has_proved_gets_no_tenant(
    site: Site, writer: httpx.AsyncClient
) -> None:
    """Who signed up with somebody's address does not own what is ordered for that somebody."""
    body = wanted()
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        session.add(
            User(email=body["owner"]["email"], name="Squatter", role="member", password_hash="x")
        )
    answer = await writer.post(API, json=body)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "owner.email"


async def test_what_is_wrong_is_named(writer: httpx.AsyncClient) -> None:
    """With the field and the remedy, as problem+json."""
    wrong = {
        "slug": {"slug": "acme"},
        "zone": {"zone": "Europe/Nowhere"},
        "currency": {"currency": "XXXX"},
        "plugins": {"plugins": ["no_such"]},
        "database": {"hosting": "dedicated"},
        "owner.email": {"owner": {"email": "nobody", "name": "N"}},
    }
    for field, chosen in wrong.items():
        answer = await writer.post(API, json=wanted(**chosen))
        assert answer.status_code in {409, 422}, field
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert field in {each["field"] for each in answer.json()["errors"]}, answer.text


async def test_a_change_needs_the_version_that_was_seen(
    site: Site, writer: httpx.AsyncClient, tenant: Tenant
) -> None:
    """A stale If-Match changes nothing; each act is noted with from and to."""
    path = f"{API}/{tenant.id}"
    seen = (await writer.get(path)).headers["etag"]
    changed = await writer.patch(path, json={"name": "Other Cars"}, headers={"if-match": seen})
    assert (changed.status_code, changed.json()["name"]) == (200, "Other Cars")
    stale = await writer.patch(path, json={"name": "Third Cars"}, headers={"if-match": seen})
    assert (stale.status_code, stale.json()["code"]) == (412, "edited_meanwhile")
    fresh = await writer.get(path, headers={"if-none-match": changed.headers["etag"]})
    assert fresh.status_code == 304
    on = await writer.patch(path, json={"plugins": ["car_hire"]})
    assert on.json()["plugins"] == {"car_hire": "installing"}
    moved = await writer.patch(path, json={"hosting": "dedicated"})
    assert moved.status_code == 409
    noted = [act for act, _ in await acts(site, str(tenant.id))]
    assert noted == ["operator.tenant_renamed", "operator.product_enabled"]


async def test_a_tenant_is_suspended_and_maintained(
    site: Site, writer: httpx.AsyncClient, tenant: Tenant
) -> None:
    """And resumed: what is read says so at once."""
    path = f"{API}/{tenant.id}"
    planned = {"message": "New cars", "until": "2199-01-01T12:00:00Z"}
    at_work = (await writer.put(f"{path}/maintenance", json=planned)).json()
    assert at_work["maintenance"] == planned
    over = (await writer.delete(f"{path}/maintenance")).json()
    assert over["maintenance"] is None
    stopped = (await writer.put(f"{path}/suspension", json={"reason": "Unpaid"})).json()
    assert (stopped["status"], stopped["suspension"]["reason"]) == ("suspended", "Unpaid")
    async with site.visitor(tenant) as visitor:
        assert (await visitor.get("/")).status_code == 503
    back = (await writer.delete(f"{path}/suspension")).json()
    assert (back["status"], back["suspension"]) == ("active", None)
    who = {name for _, name in await acts(site, str(tenant.id))}
    assert all(name.startswith("write ") for name in who)


async def test_tenants_are_listed_by_page_and_found(site: Site, reader: httpx.AsyncClient) -> None:
    """Every tenant once, whatever the page's size; by name, slug, owner and filter."""
    made = [str((await site.world.provision(plugins=())).id) for _ in range(3)]
    seen, cursor = [], None
    while True:
        page = await reader.get(API, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        assert page.status_code == 200
        seen += [each["id"] for each in page.json()["items"]]
        if (cursor := page.json()["next"]) is None:
            break
    assert len(seen) == len(set(seen))
    assert set(made) <= set(seen)

    async def found(**query: str) -> set[str]:
        answer = await reader.get(API, params=query | {"limit": "200"})
        return {each["slug"] for each in answer.json()["items"]}

    assert await found(q="ACM") >= {"acme"}
    assert "acme" not in await found(q="%")
    assert await found(database="delta") == {"delta"}
    dedicated = await found(hosting="dedicated", status="active")
    assert "delta" in dedicated
    assert "acme" not in dedicated
    assert "acme" in await found(plugin="car_hire", database="main")
    assert await found(q="no such tenant") == set()
    assert (await reader.get(API, params={"cursor": "x"})).status_code == 422


async def test_usage_is_counted_per_tenant(site: Site, reader: httpx.AsyncClient) -> None:
    """In every database, the dedicated one included."""
    world = site.world
    for tenant in (world.acme, world.delta):
        usage = (await reader.get(f"{API}/{tenant.id}/usage")).json()
        assert usage["bytes"] > 100_000, tenant.slug
        assert usage["rows"] is not None
