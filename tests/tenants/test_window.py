"""A tenant whose tables are not those of this code: served where that works, else told to wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import update

from atrium.testing.site import Site
from atrium.testing.world import World
from core.permissions import Role
from core.scope import Tenant
from tenants.migration.lines import Line, Revision
from tenants.migration.migrate import migrate
from tenants.models import MigrationStatus, TenantPlugin
from tenants.roster import Served

Stand = Callable[..., Awaitable[None]]


@pytest.fixture(params=["pooled", "dedicated"])
async def tenant(site: Site, request: pytest.FixtureRequest) -> AsyncIterator[Tenant]:
    world = site.world
    yield world.delta if request.param == "dedicated" else await world.provision()
    await migrate(world.settings, world.databases, world.lines, world.signals)
    site.catalogue.forget(world.delta.id)


@pytest.fixture
def stand(site: Site, tenant: Tenant) -> Stand:
    """Have the catalogue say where a line of the tenant stands."""

    async def change(line: str, revision: str | None, contracted: str | None = None) -> None:
        async with site.world.databases.transaction(site.world.platform) as session:
            await session.execute(
                update(MigrationStatus)
                .where(MigrationStatus.tenant_id == tenant.id, MigrationStatus.line == line)
                .values(revision=revision, contracted=contracted)
            )
        for directory in (site.catalogue, site.world.directory):
            directory.forget(tenant.id)

    return change


def _last_contract(world: World) -> tuple[Revision, Revision]:
    """The newest contract of core, and the revision before it."""
    revisions = world.lines.by_name["core"].revisions
    at = max(number for number, each in enumerate(revisions) if each.contract)
    return revisions[at - 1], revisions[at]


async def _page(site: Site, tenant: Tenant) -> int:
    async with site.visitor(tenant) as visitor:
        return (await visitor.get("/car-hire")).status_code


async def test_a_tenant_behind_a_contract_is_told_to_wait(
    site: Site, tenant: Tenant, stand: Stand
) -> None:
    """503 as a page and as a problem, to people signed in as well, and the page has its looks."""
    before, contract = _last_contract(site.world)
    async with await site.person(tenant, Role.OWNER) as owner:
        assert (await owner.get("/account")).status_code == 200
        await stand("core", before.id)
        page = await owner.get("/account", headers={"accept": "text/html"})
        problem = await owner.get("/api/v1/car-hire/vehicles")
        looks = await owner.get("/brand.css")
        vendor = await owner.post(f"/webhooks/stripe/{tenant.id.hex}.x", content=b"{}")
    assert (page.status_code, page.headers["retry-after"]) == (503, "10")
    assert "We are bringing this place up to date" in page.text
    assert (problem.status_code, problem.json()["code"]) == (503, "being_updated")
    assert looks.status_code == 200
    assert vendor.status_code == 503, "vendors ask again"
    await stand("core", contract.id, contract.id)
    assert await _page(site, tenant) == 200, "what came later only adds"


async def test_a_tenant_ahead_is_served_until_a_contract_is_in_the_way(
    site: Site, tenant: Tenant, stand: Stand
) -> None:
    """This code may be the older one, while a new version is being rolled out."""
    _, contract = _last_contract(site.world)
    await stand("core", "core_9998", contract.id)
    assert await _page(site, tenant) == 200
    await stand("core", "core_9999", "core_9999")
    assert await _page(site, tenant) == 503


async def test_only_the_lines_of_enabled_products_count(
    site: Site, tenant: Tenant, stand: Stand
) -> None:
    """A product that is off may lie behind as long as it likes."""
    world = site.world
    await stand("car_hire", "car_hire_9999", "car_hire_9999")
    assert await _page(site, tenant) == 503

    async def switch(state: str) -> None:
        async with world.databases.transaction(world.platform) as session:
            await session.execute(
                update(TenantPlugin)
                .where(TenantPlugin.tenant_id == tenant.id, TenantPlugin.plugin == "car_hire")
                .values(state=state)
            )
        site.catalogue.forget(tenant.id)

    await switch("disabled")
    async with site.visitor(tenant) as visitor:
        off = await visitor.get("/sign-in")
    await switch("enabled")
    assert off.status_code == 200


async def test_nothing_is_scheduled_for_it_and_migrating_serves_it_again(
    site: Site, tenant: Tenant, stand: Stand
) -> None:
    """Its clocks stand still meanwhile; the run that brings it up tells every process."""
    world = site.world
    before, _ = _last_contract(world)
    served = Served(world.settings, world.databases, world.lines)
    await stand("core", before.id)
    assert tenant.id not in {each.id for each in await served.active()}
    waiting = await world.directory.by_id(tenant.id)
    assert waiting is not None
    assert waiting.status == "updating"
    await migrate(world.settings, world.databases, world.lines, world.signals)
    again = await world.directory.by_id(tenant.id)
    assert again is not None
    assert again.status == "active", "without waiting for a cache to age"
    assert tenant.id in {each.id for each in await served.active()}


def _line(*contracts: bool) -> Line:
    return Line("x", tuple(Revision(f"x_{n}", (), each) for n, each in enumerate(contracts, 1)))


@pytest.mark.parametrize(
    ("applied", "contracted", "served"),
    [
        (None, None, False),
        ("x_1", None, False),
        ("x_2", "x_2", True),
        ("x_3", "x_2", True),
        ("x_9", "x_2", True),
        ("x_9", None, True),
        ("x_9", "x_8", False),
    ],
)
def test_code_and_scope_are_on_the_same_side_of_each_contract(
    applied: str | None, contracted: str | None, served: bool
) -> None:
    """The second of three revisions is a contract."""
    assert _line(False, True, False).serves(applied, contracted) is served


def test_the_newest_contract_of_a_scope_is_the_last_one_it_has() -> None:
    """That is what older code is told."""
    line = _line(True, False, True, False)
    had = [line.contracted(each) for each in (None, "x_1", "x_2", "x_3", "x_4")]
    assert had == [None, "x_1", "x_1", "x_3", "x_3"]
