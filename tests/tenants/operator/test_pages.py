"""The console's pages: what they show, what they do, and that each is usable."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from atrium.testing.routes import routes
from atrium.testing.site import Site
from core.audit.models import AuditEntry
from core.clock import now
from core.part import core
from core.scope import Tenant
from tests.atrium.test_dead_letters import dead_letter
from tests.attack.loot import Loot

HOME = "/operator"


async def noted(site: Site, action: str) -> list[AuditEntry]:
    """What the audit log of tenant zero says of one kind of act."""
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        return list(await session.scalars(query))


async def test_no_page_shows_a_tenants_customers(site: Site, operator: httpx.AsyncClient) -> None:
    """Whatever is asked, nothing of what lies in a tenant's own scope is in the answer."""
    loot = await Loot.of(site, site.world.acme)
    secrets = {loot.shop.customer.email, loot.shop.customer.name, loot.shop.cars[0].plate}
    asked = 0
    for route in routes(site.edge.platform):
        if route.is_operators and route.method == "GET" and not route.path.endswith("/events"):
            answer = await operator.get(route.at(loot.ids | {"tenant_id": site.world.acme.id}))
            assert answer.status_code in {200, 404}, str(route)
            assert not [each for each in secrets if each in answer.text], str(route)
            asked += 1
    assert asked > 8


async def test_a_tenant_is_found_by_what_is_known_of_it(
    site: Site, operator: httpx.AsyncClient
) -> None:
    """By a part of its name; a filter that nothing meets says so; a broken cursor is refused."""
    found = await operator.get(f"{HOME}/tenants", params={"q": "acm"})
    assert f"{HOME}/tenants/{site.world.acme.id}" in found.text
    assert f"{HOME}/tenants/{site.world.bravo.id}" not in found.text
    none = await operator.get(f"{HOME}/tenants", params={"q": "acm", "status": "closed"})
    assert "No tenant found" in none.text
    assert (await operator.get(f"{HOME}/tenants", params={"cursor": "x"})).status_code == 422


async def test_an_operator_suspends_and_resumes(
    site: Site, operator: httpx.AsyncClient, tenant: Tenant
) -> None:
    """With the reason kept, and who did it on the page."""
    page = f"{HOME}/tenants/{tenant.id}"
    too_long = await operator.post(f"{page}/suspend", data={"reason": "x" * 301})
    assert too_long.status_code == 422
    done = await operator.post(f"{page}/suspend", data={"reason": "Unpaid since May"})
    assert done.status_code == 303
    shown = await operator.get(page)
    assert "Unpaid since May" in shown.text
    assert "tenants.suspended" in shown.text
    assert "Staff Pereira" in shown.text
    assert (await operator.post(f"{page}/resume")).status_code == 303
    assert (await operator.post(f"{page}/resume")).status_code == 303  # it is no error to repeat


async def test_maintenance_is_planned_by_the_tenants_clocks(
    operator: httpx.AsyncClient, tenant: Tenant
) -> None:
    """What is typed stays as it was typed; a past moment is refused beside the field."""
    page = f"{HOME}/tenants/{tenant.id}"
    typed = {"message": "New cars", "until": "2199-07-01T14:30"}
    assert (await operator.post(f"{page}/maintenance", data=typed)).status_code == 303
    assert 'value="2199-07-01T14:30"' in (await operator.get(page)).text
    past = await operator.post(
        f"{page}/maintenance", data={"message": "Kept", "until": "2001-07-01T14:30"}
    )
    assert past.status_code == 422
    assert 'value="Kept"' in past.text
    assert (await operator.post(f"{page}/maintenance/end")).status_code == 303


async def test_notes_and_products(operator: httpx.AsyncClient, tenant: Tenant) -> None:
    """A note is kept for other operators; a product is given, and an unknown one refused."""
    page = f"{HOME}/tenants/{tenant.id}"
    note = {"text": "Called; <b>pays</b> on Friday"}
    assert (await operator.post(f"{page}/notes", data=note)).status_code == 303
    assert "Called; &lt;b&gt;pays" in (await operator.get(page)).text
    assert (await operator.post(f"{page}/notes", data={"text": " "})).status_code == 422
    assert (await operator.post(f"{page}/products/car_hire/enable")).status_code == 303
    assert "Being set up" in (await operator.get(page)).text
    assert (await operator.post(f"{page}/products/car_hire/disable")).status_code == 409
    assert (await operator.post(f"{page}/products/nothing/enable")).status_code == 422


async def test_a_failed_run_is_taken_up_again(
    site: Site, operator: httpx.AsyncClient, tenant: Tenant
) -> None:
    """Only one that failed, and only of the tenant that the path names."""
    page = f"{HOME}/tenants/{tenant.id}"
    api = f"/api/v1/operator/tenants/{tenant.id}"
    run = (await operator.get(api)).json()["run"]["id"]
    assert (await operator.post(f"{page}/runs/{run}/retry")).status_code == 409
    elsewhere = f"{HOME}/tenants/{site.world.acme.id}/runs/{run}/retry"
    assert (await operator.post(elsewhere)).status_code == 404


async def test_dead_letters_of_every_database_are_looked_after(
    site: Site, operator: httpx.AsyncClient
) -> None:
    """Filtered by tenant, retried and discarded one by one or all that match, and noted."""
    world = site.world
    one, two = await dead_letter(world, world.acme), await dead_letter(world, world.acme)
    other = await dead_letter(world, world.delta)
    listed = await operator.get(f"{HOME}/jobs", params={"actor": "car_hire.never"})
    assert all(str(each) in listed.text for each in (one, two, other))
    assert "OutOfFuel" in listed.text
    mine = await operator.get(f"{HOME}/jobs", params={"tenant": "delta"})
    assert str(other) in mine.text
    assert str(one) not in mine.text
    assert (await operator.get(f"{HOME}/jobs", params={"tenant": "nobody"})).status_code == 404
    assert (await operator.post(f"{HOME}/jobs/{one}/retry")).status_code == 303
    assert (await operator.post(f"{HOME}/jobs/{one}/retry")).status_code == 404
    matching = {"tenant": "acme", "actor": "car_hire.never"}
    assert (await operator.post(f"{HOME}/jobs/discard", data=matching)).status_code == 303
    left = await operator.get(f"{HOME}/jobs")
    assert str(two) not in left.text
    assert str(other) in left.text
    everything = {"tenant": "", "actor": ""}
    assert (await operator.post(f"{HOME}/jobs/retry", data=everything)).status_code == 303
    assert "No dead letters" in (await operator.get(f"{HOME}/jobs")).text
    assert str(one) in {each.subject_id for each in await noted(site, "operator.job_retried")}
    assert (await noted(site, "operator.jobs_discarded"))[-1].detail["tenant"] == str(world.acme.id)


async def test_a_token_is_made_shown_once_and_revoked(
    site: Site, operator: httpx.AsyncClient
) -> None:
    """In the console as by the command; the page that lists it never shows it again."""
    made = await operator.post(f"{HOME}/tokens", data={"name": "Monitor", "access": "read"})
    secret = made.text.partition("atop_")[2].partition("<")[0].partition('"')[0]
    assert len(secret) > 40
    assert secret not in (await operator.get(f"{HOME}/tokens")).text
    api = "/api/v1/operator/tenants"
    async with site.visitor(site.world.platform, authorization=f"Bearer atop_{secret}") as monitor:
        assert (await monitor.get(api)).status_code == 200
        token_id = (await noted(site, "operator.token_made"))[-1].subject_id
        assert (await operator.post(f"{HOME}/tokens/{token_id}/revoke")).status_code == 303
        assert (await monitor.get(api)).status_code == 401
    assert (await operator.post(f"{HOME}/tokens", data={"name": " "})).status_code == 422


@pytest.mark.parametrize("page", ["migrations", "databases", "plugins"])
async def test_the_installation_is_described(operator: httpx.AsyncClient, page: str) -> None:
    """Lines and failures, every database, every plugin."""
    shown = await operator.get(f"{HOME}/{page}")
    assert shown.status_code == 200
    expected = {"migrations": "core: ", "databases": "delta", "plugins": "car_hire"}
    assert expected[page] in shown.text


async def asked(reader: httpx.AsyncClient) -> dict[str, Any]:
    """What the API says of the installation's health."""
    told: dict[str, Any] = (await reader.get("/api/v1/operator/health")).json()
    return told


async def test_health_says_who_lives_and_what_waits(
    site: Site, operator: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    """This web process is seen; what is missing is named, and every database answers."""
    async with asyncio.timeout(5):
        while not (told := await asked(reader))["processes"]:  # noqa: ASYNC110  # said in Redis
            await asyncio.sleep(0.05)
    assert {each["process"] for each in told["processes"]} == {"web"}
    assert set(told["missing"]) == {"worker", "relay", "scheduler"}
    assert told["redis"] == "answers"
    assert told["processes"][0]["breakers"] == {"stripe": "closed", "smtp": "closed"}
    outboxes = {each["database"]: each["state"] for each in told["outboxes"]}
    assert outboxes["main"] == outboxes["delta"] == "answers"
    page = await operator.get(f"{HOME}/health")
    assert "No process of this kind is known to live: worker" in page.text


async def test_a_late_schedule_is_shown_as_late(site: Site, operator: httpx.AsyncClient) -> None:
    """By what the scope itself remembers; a schedule that nobody declares any more is left out."""
    world = site.world
    tenant = await world.provision()
    nightly = core.schedules[-1]
    remembered = {"core.long_gone 0 0 * * *": now() - timedelta(days=300)}
    async with world.databases.transaction(tenant) as session:
        for name, slot in (remembered | {nightly.name: now() - timedelta(days=3)}).items():
            await session.execute(
                text("INSERT INTO schedule_runs (name, slot) VALUES (:name, :slot)"),
                {"name": name, "slot": slot},
            )
    shown = await operator.get(f"{HOME}/schedules", params={"tenant": tenant.slug})
    assert nightly.actor.name in shown.text
    assert "Late" in shown.text
    assert "core.long_gone" not in shown.text
    assert (await operator.get(f"{HOME}/schedules")).status_code == 200
    assert (await operator.get(f"{HOME}/schedules?tenant=nobody")).status_code == 404


async def test_a_tenant_is_closed_reopened_and_deleted(
    operator: httpx.AsyncClient, writer: httpx.AsyncClient, tenant: Tenant
) -> None:
    """Deleted only when it is closed, and by a person only who typed its address."""
    page, api = f"{HOME}/tenants/{tenant.id}", f"/api/v1/operator/tenants/{tenant.id}"
    assert (await writer.delete(api)).status_code == 409
    assert (await operator.post(f"{page}/close")).status_code == 303
    assert (await writer.get(api)).json()["closure"]["delete_after"]
    assert (await operator.post(f"{page}/reopen")).status_code == 303
    closed = (await writer.put(f"{api}/closure")).json()
    assert closed["status"] == "closed"
    refused = await operator.post(f"{page}/delete", data={"confirm": "yes"})
    assert refused.status_code == 422
    assert f"Type {tenant.slug} here" in refused.text
    gone = await operator.post(f"{page}/delete", data={"confirm": tenant.slug})
    assert gone.status_code == 303
    assert (await writer.get(api)).json()["status"] == "deleting"
