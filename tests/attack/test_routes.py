"""Attacks on every route that there is, generated from the tables of both applications.

A route that is added tomorrow is attacked tomorrow; one that no attack reaches fails here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from redis.asyncio import Redis

from atrium.testing.routes import METHODS, Route, routes
from atrium.testing.site import Site
from core.auth.authority import LOCAL_COOKIE
from core.permissions import Role
from core.scope import Tenant
from tests.attack.loot import Body, Loot

pytestmark = pytest.mark.usefixtures("brief_streams")

REFUSED = {403, 404, 422}

ANSWERED_ALIKE = {
    "POST /account/sessions/{session_id}/end": "ending a session twice is no error; see below",
    "POST /car-hire/quotes": "leads back to the search with the reason",
}
"""Routes that answer 303 to ids that are not theirs; what they name is untouched all the same."""

BODILESS = {
    "POST /car-hire/own-calendar",
    "POST /car-hire/own-calendar/end",
    "POST /api/v1/car-hire/price-lists",
    "POST /car-hire/desk/prices",
    "POST /settings/car-hire/versions/{earlier}/restoration",
}
"""Routes that read neither ids nor a body: whatever is sent to them, they do their one thing."""


@pytest.fixture(scope="module")
async def loot(site: Site) -> dict[str, Loot]:
    """What each tenant has."""
    return {tenant.slug: await Loot.of(site, tenant) for tenant in site.world.tenants}


def of_platform(site: Site) -> list[Route]:
    return routes(site.edge.platform)


def of_tenants(site: Site) -> list[Route]:
    return routes(site.edge.tenants)


def hosts(site: Site) -> list[tuple[Tenant, list[Route]]]:
    """A pooled tenant, a dedicated one and the platform, with their routes."""
    mine = of_tenants(site)
    world = site.world
    return [(world.acme, mine), (world.delta, mine), (world.platform, of_platform(site))]


class Findings:
    """What an attack achieved; all of it is said at once."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.asked = 0

    def expect(self, right: bool, tenant: Tenant, route: object, answer: httpx.Response) -> None:
        """Note an answer that is not right."""
        self.asked += 1
        if not right:
            where = answer.headers.get("location", "")
            self.found.append(f"{tenant.slug}: {route} -> {answer.status_code} {where}")

    def none(self) -> None:
        """There must have been attempts, and none may have succeeded."""
        assert self.asked
        assert not self.found, "\n".join([f"{len(self.found)} of {self.asked}:", *self.found])


def is_turned_away(route: Route, answer: httpx.Response) -> bool:
    """As nobody is: 401 to programs, the way to sign in to people, and no console."""
    if route.is_api:
        return answer.status_code == 401
    if route.is_operators:
        return answer.status_code == 404
    return answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")


async def test_nobody_passes_without_signing_in(site: Site) -> None:
    """Whatever is not public answers 401, or leads to the sign-in page."""
    findings = Findings()
    for tenant, table in hosts(site):
        async with site.visitor(tenant) as visitor:
            for route in table:
                if route.access.kind != "public":
                    answer = await visitor.request(route.method, route.at())
                    findings.expect(is_turned_away(route, answer), tenant, route, answer)
    findings.none()


async def test_public_routes_bear_placeholders(site: Site) -> None:
    """What anybody may ask never fails on ids and names that do not exist."""
    findings = Findings()
    for tenant, table in hosts(site):
        async with site.visitor(tenant) as visitor:
            for route in table:
                if route.access.kind == "public":
                    answer = await visitor.request(route.method, route.at())
                    findings.expect(answer.status_code < 500, tenant, route, answer)
    findings.none()


@asynccontextmanager
async def with_stolen(site: Site, here: Tenant, there: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor at ``here`` with an owner's page and API sessions of ``there``."""
    user_id = await site.enrol(there, Role.OWNER)
    async with site.world.databases.transaction(there) as session:
        page = await site.sessions.begin(session, user_id)
        api = await site.sessions.begin(session, user_id, "api")
    async with site.visitor(here, authorization=f"Bearer {api}") as visitor:
        visitor.cookies.set(LOCAL_COOKIE, page)
        yield visitor


async def test_a_session_of_another_tenant_is_nobodys(site: Site) -> None:
    """An owner's cookie and bearer token of one tenant open nothing at another."""
    findings, world = Findings(), site.world
    for here, there in [
        (world.acme, world.bravo),
        (world.delta, world.acme),
        (world.platform, world.acme),
    ]:
        table = of_platform(site) if here.is_platform else of_tenants(site)
        async with with_stolen(site, here, there) as thief:
            for route in table:
                if route.access.kind != "public":
                    answer = await thief.request(route.method, route.at())
                    findings.expect(is_turned_away(route, answer), here, route, answer)
    findings.none()


async def test_a_session_is_of_one_kind(site: Site) -> None:
    """A browser's session is no bearer token, and a program's is no cookie."""
    findings, tenant = Findings(), site.world.acme
    user_id = await site.enrol(tenant, Role.OWNER)
    async with site.world.databases.transaction(tenant) as session:
        page = await site.sessions.begin(session, user_id)
        api = await site.sessions.begin(session, user_id, "api")
    async with site.visitor(tenant, authorization=f"Bearer {page}") as visitor:
        visitor.cookies.set(LOCAL_COOKIE, api)
        for route in of_tenants(site):
            if route.access.kind != "public":
                answer = await visitor.request(route.method, route.at())
                findings.expect(is_turned_away(route, answer), tenant, route, answer)
    findings.none()


async def test_a_customer_has_no_permissions(site: Site, loot: dict[str, Loot]) -> None:
    """A signed-in member is refused by every route that needs a permission, rows or none."""
    findings = Findings()
    for tenant, table in hosts(site):
        ids = (loot.get(tenant.slug) or loot["acme"]).ids
        async with await site.person(tenant, Role.MEMBER) as customer:
            for route in table:
                if route.access.kind == "permission":
                    answer = await customer.request(route.method, route.at(ids))
                    right = answer.status_code in {403, 404}
                    findings.expect(right, tenant, route, answer)
    findings.none()


async def test_a_customer_sees_nothing_of_others(site: Site, loot: dict[str, Loot]) -> None:
    """Neither by their ids: bookings of other customers do not exist for a member."""
    findings = Findings()
    for tenant in (site.world.acme, site.world.delta):
        mine = loot[tenant.slug]
        secrets = {mine.shop.customer.email, mine.shop.customer.licence_number}
        async with await site.person(tenant, Role.MEMBER) as customer:
            for route in of_tenants(site):
                if route.method == "GET" and not route.path.startswith("/dev/"):
                    answer = await customer.get(route.at(mine.ids))
                    right = not any(each in answer.text for each in secrets)
                    findings.expect(right, tenant, route, answer)
    findings.none()


async def test_a_product_that_is_off_has_no_routes(site: Site) -> None:
    """Below its prefix everything is 404 to the owner, whatever the method."""
    findings = Findings()
    bare = await site.world.provision(plugins=())
    products = list(site.world.plugins)
    below = [r for r in of_tenants(site) if any(r.below(each.prefix) for each in products)]
    assert {each.prefix for each in products} == {
        each.prefix for each in products if any(route.below(each.prefix) for route in below)
    }
    async with await site.person(bare, Role.OWNER) as owner:
        for path in {route.at() for route in below}:
            for method in METHODS:
                answer = await owner.request(method, path)
                findings.expect(answer.status_code == 404, bare, f"{method} {path}", answer)
    findings.none()


def pairs(site: Site) -> list[tuple[Tenant, Tenant]]:
    """Who attacks whom: pooled and pooled, dedicated and pooled, both ways, and the platform."""
    world = site.world
    return [
        (world.acme, world.bravo),
        (world.delta, world.acme),
        (world.acme, world.delta),
        (world.platform, world.acme),
    ]


async def sent(client: httpx.AsyncClient, route: Route, path: str, body: Body) -> httpx.Response:
    """A request as a program or as a form sends it."""
    if not route.is_unsafe:
        return await client.request(route.method, path)
    if route.is_api:
        return await client.request(route.method, path, json=body)
    return await client.request(route.method, path, data=body)


@pytest.mark.parametrize(
    "stubborn", [False, pytest.param(True, marks=pytest.mark.long)], ids=["at once", "stubborn"]
)
async def test_rows_of_another_tenant_do_not_exist(
    site: Site, loot: dict[str, Loot], stubborn: bool
) -> None:
    """The owner of one tenant, asking with ids of another's rows, gets nothing and does nothing.

    The first pair tries bodies until one gets as far as the rows, or stubbornly all of them; the
    others that one.
    """
    findings = Findings()
    unreached: set[str] = set()
    reached: dict[str, list[int]] = {}
    for here, there in pairs(site):
        table = of_platform(site) if here.is_platform else of_tenants(site)
        theirs = loot[there.slug]
        bodies = theirs.bodies()
        async with await site.person(here, Role.OWNER) as owner:
            for route in table:
                if not route.names_rows or route.is_operators:
                    continue
                known = reached.get(str(route))
                tried = known or (range(len(bodies)) if route.is_unsafe else [0])
                for number in tried:
                    path = route.at(theirs.ids)
                    answer = await sent(owner, route, path, bodies[number])
                    right = answer.status_code in REFUSED or (
                        str(route) in ANSWERED_ALIKE and answer.status_code == 303
                    )
                    right |= answer.status_code == 429 and str(route) in reached  # often enough
                    findings.expect(right, here, f"{route} {bodies[number]}", answer)
                    if known is None and answer.status_code != 422:
                        reached[str(route)] = [number]
                        if not stubborn:
                            break
                if str(route) not in reached:
                    unreached.add(str(route))
    assert not unreached, "add bodies to loot.py that these accept"
    findings.none()
    await untouched(site, loot)


async def _rested(redis_url: str) -> None:
    """Nobody has asked for anything yet: who is told to wait has not been refused the row."""
    async with Redis.from_url(redis_url) as redis:
        async for key in redis.scan_iter("throttle:*:car_hire.*"):
            await redis.delete(key)


async def test_bodies_cannot_name_rows_of_another_tenant(
    site: Site, loot: dict[str, Loot], redis_url: str
) -> None:
    """Neither by ids inside what is sent."""
    findings = Findings()
    for here, there in pairs(site)[:-1]:
        theirs = loot[there.slug]
        async with await site.person(here, Role.OWNER) as owner:
            for route in of_tenants(site):
                if not route.is_unsafe or route.names_rows or not route.below("car-hire"):
                    continue
                if str(route) in BODILESS:
                    continue
                await _rested(redis_url)
                for body in theirs.naming():
                    answer = await sent(owner, route, route.at(), body)
                    right = answer.status_code in REFUSED or (
                        str(route) in ANSWERED_ALIKE
                        and answer.headers.get("location", "").startswith("/car-hire?")
                    )
                    findings.expect(right, here, f"{route} {body}", answer)
    findings.none()
    await untouched(site, loot)


async def test_no_list_shows_rows_of_another_tenant(
    site: Site, loot: dict[str, Loot], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever can be looked at without an id, with foreign ids in the query: none of theirs."""
    # A stream is read to its end here.
    monkeypatch.setattr("tenants.operator.routes.installation.FOLLOW_FOR", 0.1)
    findings = Findings()
    for here, there in pairs(site):
        table = of_platform(site) if here.is_platform else of_tenants(site)
        theirs = loot[there.slug]
        query = {key: str(theirs.ids[key]) for key in ("class_id", "customer_id", "booking_id")}
        async with await site.person(here, Role.OWNER) as owner:
            for route in table:
                if route.method != "GET" or route.parameters:
                    continue
                for asked in ({}, query) if here is site.world.acme else ({},):
                    answer = await owner.get(route.at(), params=asked)
                    shown = [each for each in theirs.marks if each in answer.text]
                    right = answer.status_code < 500 and not set(shown) - set(asked.values())
                    findings.expect(right, here, f"{route} {shown}", answer)
    findings.none()


async def untouched(site: Site, loot: dict[str, Loot]) -> None:
    """Everything is as it was: found by its own people, and in the same state."""
    for tenant in site.world.tenants:
        mine = loot[tenant.slug].ids
        async with await site.person(tenant, Role.OWNER) as owner:
            api = "/api/v1/car-hire"
            booking = (await owner.get(f"{api}/bookings/{mine['booking_id']}")).json()
            assert booking["state"] == "pending_payment"
            hire = (await owner.get(f"{api}/hires/{mine['hire_id']}")).json()
            assert hire["state"] == "out"
            car = (await owner.get(f"{api}/vehicles/{mine['vehicle_id']}")).json()
            offered = (await owner.get(f"{api}/classes/{mine['class_id']}")).json()
            assert (car["version"], offered["version"]) == loot[tenant.slug].versions
            person = await owner.get(f"/settings/people/{mine['person_id']}")
            assert "Staff Pereira" in person.text


@pytest.mark.parametrize("site_named", ["cross-site", "same-site"])
async def test_pages_of_others_cannot_act(site: Site, site_named: str) -> None:
    """A request that another site's page sends changes nothing, whoever is signed in."""
    findings = Findings()
    for tenant, table in hosts(site):
        async with await site.person(tenant, Role.OWNER) as owner:
            for route in table:
                if route.is_unsafe and not route.path.startswith("/webhooks/"):  # signed instead
                    answer = await owner.request(
                        route.method, route.at(), headers={"sec-fetch-site": site_named}
                    )
                    findings.expect(answer.status_code == 403, tenant, route, answer)
    findings.none()


@pytest.mark.parametrize(
    "origin", ["http://bravo.localhost:8000", "https://evil.example", "null", "http://acme"]
)
async def test_pages_of_others_cannot_act_in_old_browsers(site: Site, origin: str) -> None:
    """Nor where only an Origin is sent, or nothing at all."""
    findings, tenant = Findings(), site.world.acme
    async with await site.person(tenant, Role.OWNER) as owner:
        del owner.headers["sec-fetch-site"]
        for route in of_tenants(site):
            if route.is_unsafe and not route.path.startswith("/webhooks/"):
                for headers in ({"origin": origin}, {}):
                    answer = await owner.request(route.method, route.at(), headers=headers)
                    findings.expect(answer.status_code == 403, tenant, route, answer)
    findings.none()
