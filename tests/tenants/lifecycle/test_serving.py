"""Suspended and under maintenance: who is served what, and what goes on underneath."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.site import Site
from atrium.testing.world import World
from core.clock import local, now
from core.errors import Conflict, Invalid
from core.logos import pictures
from core.logos import services as logos
from core.permissions import Role
from core.scope import Tenant
from core.signals import Signals
from tenants.lifecycle import serving
from tenants.lifecycle.statuses import MOVES, Status, move
from tenants.models import TenantRecord
from tests.core.logos.test_pictures import picture as logo_file

HTML = {"accept": "text/html", "accept-language": "en"}


@asynccontextmanager
async def steering(world: World) -> AsyncIterator[tuple[AsyncSession, Signals]]:
    """Tenant zero's session and the signals, as every function of the lifecycle takes them."""
    async with world.databases.transaction(world.platform) as session:
        yield session, world.signals


@pytest.fixture
async def tenant(site: Site) -> Tenant:
    """One that may be steered without harm to others."""
    return await site.world.provision()


async def _settled(site: Site, tenant: Tenant) -> None:
    """The site, too, has heard: it is another process as far as caches go."""
    site.catalogue.forget(tenant.id)


async def test_a_suspended_tenant_is_told_as_a_page_and_as_a_problem(
    site: Site, tenant: Tenant
) -> None:
    """503 with Retry-After, a page of the tenant's own looks; programs read problem+json."""
    async with steering(site.world) as at:
        await serving.suspend(*at, tenant.id, "unpaid invoice 17")
    await _settled(site, tenant)
    async with site.visitor(tenant, **HTML) as visitor:
        page = await visitor.get("/car-hire")
        problem = await visitor.post("/api/v1/car-hire/quotes", json={})
        looks = await visitor.get("/brand.css")
    assert (page.status_code, page.headers["retry-after"]) == (503, "3600")
    assert tenant.name in page.text
    assert "Taking a break" in page.text
    assert "unpaid" not in page.text, "the reason is for owners"
    assert problem.status_code == 503
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == "suspended"
    assert looks.status_code == 200


async def test_webhooks_of_a_suspended_tenant_are_taken_in(site: Site, tenant: Tenant) -> None:
    """The route answers, which here means: no such endpoint, rather than 503."""
    async with steering(site.world) as at:
        await serving.suspend(*at, tenant.id)
    await _settled(site, tenant)
    async with site.visitor(site.world.platform) as vendor:
        answer = await vendor.post(f"/webhooks/stripe/{tenant.id.hex}.token", content=b"{}")
    assert answer.status_code == 404


async def test_resumed_it_is_served_again_and_nothing_remains(site: Site, tenant: Tenant) -> None:
    """Reason and moment go; the log keeps both acts."""
    async with steering(site.world) as at:
        await serving.suspend(*at, tenant.id, "a reason")
    async with steering(site.world) as at:
        await serving.resume(*at, tenant.id)
    await _settled(site, tenant)
    async with site.visitor(tenant) as visitor:
        assert (await visitor.get("/car-hire")).status_code == 200
    async with site.world.databases.transaction(site.world.platform) as session:
        record = await session.get_one(TenantRecord, tenant.id)
        acts = await session.scalars(
            text("SELECT action FROM audit_entries WHERE subject_id = :id ORDER BY id"),
            {"id": str(tenant.id)},
        )
        assert (record.status, record.suspended_at, record.suspended_reason) == (
            "active",
            None,
            None,
        )
        assert list(acts) == ["tenants.suspended", "tenants.resumed"]


async def test_under_maintenance_staff_enter_and_customers_wait(site: Site, tenant: Tenant) -> None:
    """The page names the planned end by the tenant's clock; signing in stays possible."""
    until = now() + timedelta(hours=2)
    async with steering(site.world) as at:
        await serving.begin_maintenance(*at, tenant.id, "New prices are coming", until)
    await _settled(site, tenant)
    async with site.visitor(tenant, **HTML) as visitor:
        page = await visitor.get("/car-hire")
        account = await visitor.get("/account")
        problem = await visitor.get("/api/v1/car-hire/classes")
        door = await visitor.get("/sign-in")
    assert page.status_code == account.status_code == 503
    assert 7000 < int(page.headers["retry-after"]) <= 7200
    assert "New prices are coming" in page.text
    assert f"{local(until, tenant.zone):%H:%M}" in page.text
    assert tenant.zone in page.text
    assert (problem.status_code, problem.json()["code"]) == (503, "maintenance")
    assert door.status_code == 200
    async with await site.person(tenant, Role.MEMBER) as customer:
        assert (await customer.get("/car-hire")).status_code == 503
    async with await site.person(tenant, Role.STAFF) as staff:
        assert (await staff.get("/car-hire/desk")).status_code == 200
    async with steering(site.world) as at:
        await serving.end_maintenance(*at, tenant.id)
    await _settled(site, tenant)
    async with site.visitor(tenant) as visitor:
        assert (await visitor.get("/car-hire")).status_code == 200


async def test_under_maintenance_staff_find_every_way_in(site: Site, tenant: Tenant) -> None:
    """Whoever lost the password or was just invited works here too; and the logo is there."""
    picture = await pictures.read(logo_file())
    async with site.world.databases.transaction(tenant) as session:
        shown = await logos.keep(session, picture, ())
    async with steering(site.world) as at:
        await serving.begin_maintenance(*at, tenant.id)
    await _settled(site, tenant)
    async with site.visitor(tenant, **HTML) as visitor:
        statuses = {
            path: (await visitor.get(path)).status_code
            for path in (shown, "/password/forgotten", "/password/reset", "/invitation")
        }
    assert list(statuses.values()) == [200, 200, 410, 410], statuses


async def test_a_plan_that_makes_no_sense_is_refused(world: World, site: Site) -> None:
    """An end that is over, a novel for a message, a business that is not open."""
    tenant = await world.provision()
    with pytest.raises(Invalid) as over:
        async with steering(world) as at:
            await serving.begin_maintenance(*at, tenant.id, "", now() - timedelta(minutes=1))
    assert over.value.errors[0].field == "until"
    with pytest.raises(Invalid) as long:
        async with steering(world) as at:
            await serving.begin_maintenance(*at, tenant.id, "x" * 301)
    assert long.value.errors[0].field == "message"
    async with steering(world) as at:
        await serving.suspend(*at, tenant.id)
    with pytest.raises(Conflict):
        async with steering(world) as at:
            await serving.begin_maintenance(*at, tenant.id)


def test_only_what_the_table_says_may_follow() -> None:
    """Every pair of statuses is tried."""
    for before in Status:
        for after in Status:
            record = TenantRecord(status=before.value)
            if after in MOVES[before]:
                assert move(record, after)
                assert record.status == after
            elif before is after:
                assert not move(record, after)
            else:
                with pytest.raises(Conflict):
                    move(record, after)


@pytest.mark.parametrize("values", [{"status": "asleep"}, {"status": "suspended"}])
async def test_the_database_refuses_what_cannot_be(world: World, values: dict[str, str]) -> None:
    """An unknown status, or suspended without a since."""
    tenant = await world.provision()
    with pytest.raises(IntegrityError):
        async with world.databases.transaction(world.platform) as session:
            await session.execute(
                update(TenantRecord).where(TenantRecord.id == tenant.id).values(**values)
            )
