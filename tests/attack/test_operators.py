"""What operators keep is attacked by everybody else, on every route of the console.

A route that the console gets tomorrow is attacked tomorrow: the table of routes is read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import httpx
import pytest

from atrium.testing.routes import Route
from atrium.testing.site import Site
from core.auth.authority import LOCAL_COOKIE
from core.permissions import Role
from core.scope import Tenant
from tests.attack.operators import Hoard
from tests.attack.test_routes import Findings, of_platform, of_tenants, sent

pytestmark = pytest.mark.usefixtures("brief_streams")

Thieves = dict[str, tuple[Tenant, httpx.AsyncClient]]


@pytest.fixture(scope="module")
async def hoard(site: Site) -> AsyncIterator[Hoard]:
    """What operators keep of a tenant."""
    found = await Hoard.of(site)
    yield found
    await found.bury(site)


@pytest.fixture
async def thieves(site: Site, hoard: Hoard) -> AsyncIterator[Thieves]:
    """Everybody who is somebody, and no operator; each with the host at which they try."""
    world = site.world
    portal, acme = world.platform, world.acme
    owner_id = await site.enrol(acme, Role.OWNER)
    async with world.databases.transaction(acme) as session:
        page = await site.sessions.begin(session, owner_id)
        api = await site.sessions.begin(session, owner_id, "api")
    async with world.databases.transaction(portal) as session:
        account = await site.sessions.begin(session, hoard.owner_id)
    found: Thieves = {
        "a tenant's owner, at home": (acme, await site.person(acme, Role.OWNER)),
        "a tenant's owner, at the portal": (portal, site.visitor(portal)),
        "a tenant's program, at the portal": (
            portal,
            site.visitor(portal, authorization=f"Bearer {api}"),
        ),
        "an ordinary account": (portal, await site.person(portal, Role.MEMBER)),
        "the account that owns the tenant": (portal, site.visitor(portal)),
    } | {
        f"a program whose token is {what}": (
            portal,
            site.visitor(portal, authorization=f"Bearer {hoard.secrets[what]}"),
        )
        for what in ("expired", "revoked")
    }
    found["a tenant's owner, at the portal"][1].cookies.set(LOCAL_COOKIE, page)
    found["the account that owns the tenant"][1].cookies.set(LOCAL_COOKIE, account)
    async with AsyncExitStack() as stack:
        for _, client in found.values():
            await stack.enter_async_context(client)
        yield found


def of_operators(site: Site) -> list[Route]:
    """Every route of the console and of its API."""
    return [route for route in of_platform(site) if route.is_operators]


async def test_an_operator_sees_the_hoard(
    site: Site, hoard: Hoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the attacks below would be after nothing: each mark is shown by some page."""
    monkeypatch.setattr("tenants.operator.routes.installation.FOLLOW_FOR", 0.1)
    missing = set(hoard.marks)
    async with await site.person(site.world.platform, Role.STAFF) as operator:
        for route in of_operators(site):
            if route.method == "GET":
                answer = await operator.get(route.at(hoard.ids))
                missing -= {mark for mark in missing if mark in answer.text}
    assert not missing


async def test_nobody_else_gets_at_the_hoard(site: Site, hoard: Hoard, thieves: Thieves) -> None:
    """By ids that exist and bodies that would do, nothing is shown, and nothing is changed."""
    findings, before = Findings(), await hoard.state(site)
    for who, (host, thief) in thieves.items():
        for route in of_operators(site):
            for body in hoard.bodies() if route.is_unsafe else [{}]:
                answer = await sent(thief, route, route.at(hoard.ids), body)
                turned_away = answer.status_code == 404 or (
                    route.is_api and answer.status_code == 401
                )
                right = turned_away and not _shown(hoard, answer)
                findings.expect(right, host, f"{who}: {route} {body}", answer)
    findings.none()
    assert await hoard.state(site) == before


async def test_a_token_that_may_read_changes_nothing(site: Site, hoard: Hoard) -> None:
    """Whatever it sends to the console's API."""
    findings, before, portal = Findings(), await hoard.state(site), site.world.platform
    async with site.visitor(portal, authorization=f"Bearer {hoard.secrets['read']}") as program:
        for route in of_operators(site):
            for body in hoard.bodies() if route.is_unsafe else []:
                answer = await sent(program, route, route.at(hoard.ids), body)
                findings.expect(answer.status_code in {401, 403, 404}, portal, route, answer)
    findings.none()
    assert await hoard.state(site) == before


async def test_no_other_page_shows_the_hoard(site: Site, hoard: Hoard, thieves: Thieves) -> None:
    """Nor does what thieves may see of their own, whichever of the operator's ids they name."""
    findings = Findings()
    for who, (host, thief) in thieves.items():
        table = of_platform(site) if host.is_platform else of_tenants(site)
        for route in table:
            if route.method != "GET" or route.is_operators or route.path.startswith("/dev/"):
                continue
            for path in {route.at(ids) for ids in _named(route, hoard)}:
                answer = await thief.get(path)
                findings.expect(not _shown(hoard, answer), host, f"{who}: {path}", answer)
    findings.none()


def _named(route: Route, hoard: Hoard) -> list[dict[str, UUID]]:
    """Each of the operator's ids in the place of whatever the route names."""
    wanted = [name for name, kind in route.parameters.items() if kind is UUID]
    return [dict.fromkeys(wanted, value) for value in hoard.ids.values()]


def _shown(hoard: Hoard, answer: httpx.Response) -> list[str]:
    return [mark for mark in hoard.marks if mark in answer.text]
