"""The account's home: members alone see, change and open a business."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar.routes import HTTPRoute
from sqlalchemy import delete, update

from atrium.testing.site import Site
from core.auth.models import User
from core.clock import now
from core.ids import new_id
from core.permissions import Role
from core.web.edge import Edge
from tenants.domains.models import TenantHost
from tenants.senders import services as senders
from tenants.senders.models import SenderKey
from tests.tenants.portal.applicant import Applicant
from tests.tenants.portal.conftest import make, rows


@dataclass(frozen=True, slots=True)
class Owned:
    """A business that is open, and its owner's browser at the portal."""

    id: UUID
    slug: str
    owner: httpx.AsyncClient

    def path(self, rest: str = "") -> str:
        """Its page."""
        return f"/businesses/{self.id}{rest}"


_DOMAINS = "/api/v1/businesses/{business_id}/domains"
BODIES = {
    ("POST", _DOMAINS): {"host": f"www.{new_id().hex}.example"},
    ("PATCH", f"{_DOMAINS}/{{domain_id}}"): {"primary": False},
    ("PUT", "/api/v1/businesses/{business_id}/sender"): {"address": "desk@hire.example"},
}
"""What programs must send to be asked who they are: bodies are read first."""


@pytest.fixture(scope="module")
async def owned(site: Site) -> AsyncIterator[Owned]:
    """Signed up and made."""
    applicant = Applicant.at(site)
    async with applicant.client:
        await applicant.fill()
        await applicant.submit()
        yield Owned(await make(site.world, applicant.slug), applicant.slug, applicant.client)


@pytest.fixture
async def other(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with an account, who has nothing to do with it."""
    client = await site.person(site.world.platform, Role.MEMBER)
    async with client:
        yield client


def _routes(edge: Edge) -> list[tuple[str, str]]:
    """Every method and address of the portal that names a business."""
    return sorted(
        (method, route.path_format)
        for route in edge.platform.routes
        if isinstance(route, HTTPRoute) and "{business_id}" in route.path_format
        for method in set(route.methods) - {"OPTIONS", "HEAD"}
    )


async def test_every_route_of_a_business_is_its_members_alone(
    site: Site, owned: Owned, other: httpx.AsyncClient
) -> None:
    """Generated from the route table: a stranger is sent to sign in, another account is told
    that there is no such thing, the owner is served."""
    routes = [
        (method, path)
        for method, path in _routes(site.edge)
        if not path.endswith("/disable")  # it would take the product from the tests that follow
    ]
    assert len(routes) >= 9
    for method, path in routes:
        domain_id = await _domain(site, owned) if "{domain_id}" in path else None
        if "/sender" in path:
            await _sender(site, owned)
        address = path.format(
            business_id=owned.id,
            name="car_hire",
            domain_id=domain_id,
            key="car_hire.pay_at_desk",
        )
        is_api = path.startswith("/api/")
        async with site.visitor(site.world.platform) as visitor:
            stranger = await visitor.request(method, address)
        assert stranger.status_code == (401 if is_api else 303), (method, path)
        if not is_api:
            assert stranger.headers["location"].startswith("/sign-in"), (method, path)
        body = BODIES.get((method, path))
        refused = await other.request(method, address, json=body)
        assert refused.status_code == 404, (method, path)
        served = await owned.owner.request(method, address, json=body)
        nothing_to_undo = path.endswith("/put-back") and served.status_code == 404
        fine = nothing_to_undo or served.status_code in {200, 201, 204, 303, 422}
        assert fine, (method, path, served.text)
    await owned.owner.post(owned.path("/domains/prefer-none"))  # for the tests that follow


async def _sender(site: Site, owned: Owned) -> None:
    """An address that the business sends from, though nobody looked at its records."""
    world = site.world
    address = f"desk@{owned.slug}.example"
    async with world.databases.transaction(world.platform) as session:
        sender = await senders.choose(
            session, world.settings, world.signals, owned.id, address=address
        )
        sender.verified_at = now()
        waiting = SenderKey.sender_id == sender.id, SenderKey.state == "next"
        await session.execute(delete(SenderKey).where(*waiting))
    world.directory.forget_all()


async def _domain(site: Site, owned: Owned) -> UUID:
    """One that works, and was looked at just now."""
    host = f"www.{new_id().hex}.example"
    domain = TenantHost(tenant_id=owned.id, host=host, token="x", verified_at=now())
    domain.checked_at = now()
    async with site.world.databases.transaction(site.world.platform) as session:
        session.add(domain)
    return domain.id


async def test_the_list_shows_ones_own(site: Site, owned: Owned, other: httpx.AsyncClient) -> None:
    """The owner sees the business, somebody else an empty page with the way to begin."""
    mine = await owned.owner.get("/businesses")
    assert f"{owned.slug}.localhost" in mine.text
    assert "Car hire" in mine.text
    theirs = await other.get("/businesses")
    assert owned.slug not in theirs.text
    assert "No business yet" in theirs.text


async def test_changes_are_served_and_audited(site: Site, owned: Owned) -> None:
    """Name, zone and language change everywhere at once, and the log says who did it."""
    answer = await owned.owner.post(
        owned.path("/settings"),
        data={"name": "New Wheels", "zone": "Europe/Madrid", "locale": "pt"},
    )
    assert answer.status_code == 303
    for _ in range(40):
        tenant = await site.world.directory.by_id(owned.id)
        assert tenant is not None
        if tenant.name == "New Wheels":
            break
        await asyncio.sleep(0.05)
    assert (tenant.name, tenant.zone, tenant.locale) == ("New Wheels", "Europe/Madrid", "pt")
    (entry,) = await rows(
        site.world,
        "SELECT actor_name, detail FROM audit_entries WHERE action = 'portal.business_changed'"
        " AND subject_id = :id",
        id=str(owned.id),
    )
    assert entry.actor_name == "Lia Rocha"
    assert entry.detail["zone"] == "Europe/Madrid"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"zone": "Nowhere/Land"}, "zone"),
        ({"locale": "xx"}, "locale"),
    ],
)
async def test_wrong_settings_name_their_field(
    owned: Owned, changed: dict[str, str], field: str
) -> None:
    """422 with the error beside the field."""
    right = {"name": "Wheels", "zone": "Europe/Lisbon", "locale": "en"}
    answer = await owned.owner.post(owned.path("/settings"), data=right | changed)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text


async def test_a_product_is_turned_off_and_on(site: Site, owned: Owned) -> None:
    """Off at once, its data kept; on again at once."""

    async def state() -> str:
        (found,) = await rows(
            site.world,
            "SELECT state FROM tenant_plugins WHERE tenant_id = :id AND plugin = 'car_hire'",
            id=owned.id,
        )
        return str(found.state)

    off = await owned.owner.post(owned.path("/products/car_hire/disable"))
    assert off.status_code == 303
    assert await state() == "disabled"
    assert "Off, data kept" in (await owned.owner.get(owned.path())).text
    on = await owned.owner.post(owned.path("/products/car_hire/enable"))
    assert on.headers["location"] == owned.path()
    assert await state() == "enabled"


async def test_a_product_that_is_not_installed_does_not_exist(owned: Owned) -> None:
    """404, and nothing is noted."""
    answer = await owned.owner.post(owned.path("/products/teleport/enable"))
    assert answer.status_code == 404


async def test_a_dedicated_database_is_asked_for_once(site: Site, owned: Owned) -> None:
    """The second press notes nothing new, and the page says that the wish is kept."""
    for _ in range(2):
        await owned.owner.post(owned.path("/dedicated"))
    found = await rows(
        site.world, "SELECT 1 FROM dedicated_requests WHERE tenant_id = :id", id=owned.id
    )
    assert len(found) == 1
    assert "is noted" in (await owned.owner.get(owned.path())).text


async def test_staff_may_open_but_not_change(site: Site, owned: Owned) -> None:
    """A member who is neither owner nor admin sees no form and is refused the change."""
    account = await site.enrol(site.world.platform, Role.MEMBER)
    async with site.world.databases.transaction(site.world.platform) as session:
        token = await site.sessions.begin(session, account)
    await rows(
        site.world,
        "INSERT INTO memberships (tenant_id, account_id, user_id, role, created_at)"
        " SELECT :id, :account, user_id, 'staff', now() FROM memberships WHERE tenant_id = :id"
        " RETURNING role",
        id=owned.id,
        account=account,
    )
    async with site.visitor(site.world.platform) as staff:
        staff.cookies.set("atrium", token)
        page = await staff.get(owned.path())
        assert "Save changes" not in page.text
        right = {"name": "Mine", "zone": "Europe/Lisbon", "locale": "en"}
        changed = await staff.post(owned.path("/settings"), data=right)
        assert changed.status_code == 403
        assert (await staff.post(owned.path("/open"))).status_code == 200


async def test_a_business_that_is_not_open_cannot_be_entered(
    site: Site, applicant: Applicant
) -> None:
    """While it is being built there is nothing to open."""
    await applicant.fill()
    made = await applicant.submit()
    business = made.headers["location"].removesuffix("/progress")
    assert (await applicant.client.post(f"{business}/open")).status_code == 409


async def test_progress_is_told_as_it_goes(site: Site, applicant: Applicant) -> None:
    """The stream begins with what is, tells each step in words, and ends with the way on."""
    await applicant.fill()
    made = await applicant.submit()
    progress = made.headers["location"]
    reading = asyncio.create_task(applicant.client.get(f"{progress}/events"))
    await asyncio.sleep(0.3)
    await make(site.world, applicant.slug)
    stream = await asyncio.wait_for(reading, 10)
    assert stream.headers["content-type"].startswith("text/event-stream")
    events = [each.splitlines() for each in stream.text.strip().split("\r\n\r\n")]
    names = [line.removeprefix("event: ") for event in events for line in event if "event:" in line]
    assert set(names[:-1]) == {"progress"}
    assert names[-1] == "done"
    first, last = (
        msgspec.json.decode(next(line for line in event if "data:" in line).removeprefix("data: "))
        for event in (events[0], events[-2])
    )
    assert first["percent"] == 0
    assert last["percent"] == 100
    assert last["steps"][0]["title"] == "Setting aside a private place for your data"
    assert {step["title"] for step in last["steps"]} >= {"Preparing Car hire", "Opening the doors"}


async def test_a_failure_is_shown_and_can_be_retried_once(site: Site, applicant: Applicant) -> None:
    """The page says where it stopped; two presses of "Try again" ask for one more run."""
    await applicant.fill()
    made = await applicant.submit()
    progress = made.headers["location"]
    business = progress.removesuffix("/progress")
    (run,) = await rows(
        site.world,
        "UPDATE provisioning_runs SET state = 'failed', error = 'tables: Boom' FROM tenants t"
        " WHERE t.id = tenant_id AND slug = :slug RETURNING provisioning_runs.id",
        slug=applicant.slug,
    )
    await rows(
        site.world,
        "UPDATE provisioning_steps SET state = 'failed' WHERE run_id = :run AND name = 'tables'"
        " RETURNING name",
        run=run.id,
    )
    page = await applicant.client.get(progress)
    assert "Something stopped us" in page.text
    assert "stopped here" in page.text
    assert "Boom" not in page.text
    await asyncio.gather(*(applicant.client.post(f"{business}/retry") for _ in range(2)))
    (entries,) = await rows(
        site.world,
        "SELECT count(*) FROM audit_entries WHERE action = 'portal.provisioning_retried'"
        " AND subject_id = :id",
        id=business.rpartition("/")[2],
    )
    assert entries.count == 1
    await make(site.world, applicant.slug)
    assert "is open" in (await applicant.client.get(progress)).text


async def test_who_was_demoted_in_the_business_changes_nothing_from_the_portal(
    site: Site, owned: Owned
) -> None:
    """The business itself says who administers it; the portal asks before each change."""
    tenant = await site.world.directory.by_id(owned.id)
    assert tenant is not None
    async with site.world.databases.transaction(tenant) as session:
        await session.execute(update(User).values(role=Role.STAFF).where(User.role == Role.OWNER))
    refused = await owned.owner.post(owned.path("/products/car_hire/disable"))
    assert refused.status_code == 403
    async with site.world.databases.transaction(tenant) as session:
        await session.execute(update(User).values(role=Role.OWNER).where(User.role == Role.STAFF))
    assert (await owned.owner.post(owned.path("/products/car_hire/disable"))).status_code == 303
