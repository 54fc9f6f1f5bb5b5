"""The pages and the API of webhooks: an owner's way from the form to the log."""

from __future__ import annotations

import re

from sqlalchemy import select

from atrium.testing.site import Site
from core import clock
from core.permissions import Role
from core.webhooks.models import WebhookDelivery, WebhookEndpoint

NEW = {"url": "https://books.example/hook", "events": ["car_hire.booking_made"]}


async def test_an_owner_adds_an_endpoint_and_sees_its_secret_once(site: Site) -> None:
    """What is wrong is said beside the field; staff may not look."""
    tenant = await site.world.provision()
    async with await site.person(tenant, Role.STAFF) as staff:
        assert (await staff.get("/settings/webhooks")).status_code == 403
    async with await site.person(tenant, Role.OWNER) as owner:
        wrong = await owner.post(
            "/settings/webhooks/new",
            data={"url": "https://10.0.0.1/hook", "events": "car_hire.booking_made"},
        )
        assert wrong.status_code == 422
        assert "not reachable from the internet" in wrong.text
        made = await owner.post("/settings/webhooks/new", data=NEW)
        (secret,) = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", made.text))
        async with site.world.databases.transaction(tenant) as session:
            endpoint = (await session.scalars(select(WebhookEndpoint))).one()
            assert endpoint.secret == secret
        page = f"/settings/webhooks/{endpoint.id}"
        assert "whsec_" not in (await owner.get(page)).text
        assert "books.example" in (await owner.get("/settings/webhooks")).text
        sent = await owner.post(f"{page}/tests")
        at = sent.headers["location"]
        assert "core.webhook_test" in (await owner.get(at)).text
        fragment = await owner.get(at, headers={"hx-request": "true"})
        assert fragment.status_code == 200
        assert "<html" not in fragment.text
        await owner.post(f"{page}/deactivation")
        assert (await owner.post(f"{page}/tests")).status_code == 409
        assert (await owner.post(f"{at}/repetition")).status_code == 409
    async with site.world.databases.transaction(tenant) as session:
        assert [each.state for each in await session.scalars(select(WebhookDelivery))] == [
            "given_up"
        ]


async def test_two_owners_who_change_one_endpoint_are_told(site: Site) -> None:
    """The second keeps what was typed; a slip of the pen in between changes nothing about that."""
    tenant = await site.world.provision()
    version = re.compile(r'name="version" value="(\d+)"')
    async with await site.person(tenant, Role.OWNER) as owner:
        await owner.post("/settings/webhooks/new", data=NEW)
        async with site.world.databases.transaction(tenant) as session:
            endpoint = (await session.scalars(select(WebhookEndpoint))).one()
        page = f"/settings/webhooks/{endpoint.id}"
        (seen,) = version.findall((await owner.get(page)).text)
        other = NEW | {"url": "https://other.example/hook", "version": seen}
        assert (await owner.post(page, data=other)).status_code == 303
        slip = await owner.post(page, data=NEW | {"url": "nowhere", "version": seen})
        assert (slip.status_code, version.findall(slip.text)) == (422, [seen])
        late = await owner.post(page, data=NEW | {"description": "Mine", "version": seen})
        assert (late.status_code, "Mine" in late.text) == (412, True)
        again = NEW | {"version": version.findall(late.text)[0]}
        assert (await owner.post(page, data=again)).status_code == 303


async def test_programs_do_the_same(site: Site) -> None:
    """With ETags, problems that name fields, and a schema for each type of event."""
    tenant = await site.world.provision()
    user_id = await site.enrol(tenant, Role.OWNER)
    async with site.world.databases.transaction(tenant) as session:
        token = await site.sessions.begin(session, user_id, "api")
    async with site.visitor(tenant, authorization=f"Bearer {token}") as program:
        types = (await program.get("/api/v1/webhooks/event-types")).json()["items"]
        names = {each["type"] for each in types}
        assert {"car_hire.booking_made", "car_hire.paper_issued", "payments.captured"} <= names
        assert all(each["schema"]["properties"]["data"] for each in types)
        document = (await program.get("/api/v1/openapi.json")).json()
        assert set(document["webhooks"]) == names
        unknown = await program.post(
            "/api/v1/webhooks/endpoints", json=NEW | {"events": ["car_hire.booking_dreamt"]}
        )
        assert unknown.json()["errors"][0]["field"] == "events.0"
        made = await program.post("/api/v1/webhooks/endpoints", json=NEW)
        assert made.status_code == 201
        assert made.json()["secret"].startswith("whsec_")
        at = f"/api/v1/webhooks/endpoints/{made.json()['id']}"
        assert (await program.get(at)).json()["secret"] is None
        stale = await program.put(at, json=NEW, headers={"if-match": '"7"'})
        assert stale.status_code == 412
        rotated = await program.post(f"{at}/rotation")
        assert rotated.json()["secret"] != made.json()["secret"]
        assert rotated.json()["previous_secret_until"] > clock.now().isoformat()
        sent = (await program.post(f"{at}/tests")).json()
        whole = (await program.get(f"{at}/deliveries/{sent['id']}")).json()
        assert whole["body"]["type"] == "core.webhook_test"
        listed = (await program.get(f"{at}/deliveries?only=waiting")).json()["items"]
        assert [each["id"] for each in listed] == [sent["id"]]
        assert (await program.delete(at)).status_code == 204
        assert (await program.get(at)).status_code == 404
