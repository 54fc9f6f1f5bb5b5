"""Who sees the console, and what a token opens: anonymous, account, owner, read-only, operator."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from atrium.testing.routes import Route, routes
from atrium.testing.site import Site
from core.auth.models import User
from core.clock import now
from core.errors import Conflict
from core.permissions import Role
from core.scope import Tenant
from tenants.operator import people, tokens
from tenants.operator.models import OperatorToken
from tests.tenants.operator.conftest import program

API = "/api/v1/operator/tenants"


def hidden(site: Site) -> list[Route]:
    """Every route that only operators know of."""
    found = [route for route in routes(site.edge.platform) if route.access.seen_with]
    assert {route.access.seen_with for route in found} == {"operator.look"}
    return found


def test_everything_below_operator_is_hidden(site: Site) -> None:
    """No page and no API of the console is open to anybody else by mistake."""
    below = {str(r) for r in routes(site.edge.platform) if "/operator" in r.path}
    assert below == {str(route) for route in hidden(site)}
    acting = {r.access.permission for r in hidden(site) if r.is_unsafe}
    assert acting == {"operator.act"}


async def test_for_others_there_is_no_console(site: Site) -> None:
    """404 to whoever is no operator, signed in or not; programs without a token get 401."""
    platform = site.world.platform
    account = await site.person(platform, Role.MEMBER)
    async with account, site.visitor(platform) as nobody:
        for route in hidden(site):
            answer = await account.request(route.method, route.at())
            assert answer.status_code == 404, str(route)
            assert "perator" not in answer.text
            answer = await nobody.request(route.method, route.at())
            assert answer.status_code == (401 if route.is_api else 404), str(route)


async def test_wrong_methods_tell_nobody_of_the_console(site: Site) -> None:
    """They are answered as at a path that does not exist, and so is OPTIONS."""
    platform = site.world.platform
    known: dict[str, tuple[str, set[str]]] = {}
    for route in hidden(site):
        known.setdefault(route.path, (route.at(), set()))[1].add(route.method)
    async with (
        await site.person(platform, Role.MEMBER) as account,
        site.visitor(platform) as nobody,
    ):
        for path, methods in known.values():
            wrong = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - methods
            for method in sorted(wrong):
                for client in (account, nobody):
                    there = await client.request(method, path)
                    nowhere = await client.request(method, f"{path}-nowhere")
                    assert there.status_code == nowhere.status_code == 404, (method, path)
                    assert "allow" not in there.headers
                    assert there.headers.keys() == nowhere.headers.keys(), (method, path)
        allowed = await nobody.request("DELETE", "/sign-in")
        assert allowed.status_code == 405, "elsewhere it is told"


async def test_a_tenants_owner_finds_no_console(site: Site) -> None:
    """Neither at the tenant's own host, nor with their session at the portal's."""
    tenant = site.world.acme
    async with await site.person(tenant, Role.OWNER) as owner:
        for path in ("/operator", "/operator/tenants", API):
            assert (await owner.get(path)).status_code == 404
        cookie = owner.cookies["atrium"]
    async with site.visitor(site.world.platform) as thief:
        thief.cookies.set("atrium", cookie)
        assert (await thief.get("/operator")).status_code == 404
        assert (await thief.get(API)).status_code == 401


async def test_a_token_is_of_the_portal_alone(site: Site, writer: httpx.AsyncClient) -> None:
    """At a tenant's host it is nobody's."""
    async with site.visitor(
        site.world.acme, authorization=writer.headers["authorization"]
    ) as thief:
        assert (await thief.get("/api/v1/car-hire/bookings")).status_code == 401


async def test_a_program_that_looks_may_not_act(
    site: Site, reader: httpx.AsyncClient, tenant: Tenant
) -> None:
    """403 with a reason, and nothing has changed."""
    assert (await reader.get(API)).status_code == 200
    for route in hidden(site):
        if route.is_api and route.is_unsafe:
            answer = await reader.request(route.method, route.at(), json={})
            assert answer.status_code == 403, str(route)
    shown = await reader.get(f"{API}/{tenant.id}")
    assert shown.json()["status"] == "active"


async def test_a_program_is_nobody_in_particular(site: Site, writer: httpx.AsyncClient) -> None:
    """What is meant for whoever is signed in is refused to a token, and pages do not know it."""
    for route in routes(site.edge.platform):
        if route.is_api and route.access.kind == "member":
            answer = await writer.request(route.method, route.at(), json={})
            assert answer.status_code == 403, str(route)
    assert (await writer.get("/operator/tenants")).status_code == 404
    assert (await writer.get("/account")).status_code == 303


@pytest.mark.parametrize("end", ["revoked", "expired"])
async def test_a_token_that_is_over_lets_nobody_in(site: Site, end: str) -> None:
    """From one request to the next."""
    world = site.world
    async with await program(site, "read") as client:
        assert (await client.get(API)).status_code == 200
        async with world.databases.transaction(world.platform) as session:
            newest = (await tokens.every(session))[0]
            assert newest.last_used_at is not None
            if end == "revoked":
                await tokens.revoke(session, newest.id)
            else:
                over = now() - timedelta(seconds=1)
                query = update(OperatorToken).where(OperatorToken.id == newest.id)
                await session.execute(query.values(expires_at=over))
        assert (await client.get(API)).status_code == 401


async def test_the_secret_of_a_token_is_not_kept(site: Site, writer: httpx.AsyncClient) -> None:
    """Only its hash, from which nobody makes a token."""
    secret = writer.headers["authorization"].removeprefix("Bearer ")
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        newest = (await tokens.every(session))[0]
    assert secret.startswith("atop_")
    assert secret.encode() not in newest.token_hash
    async with site.visitor(
        world.platform, authorization=f"Bearer atop_{newest.token_hash.hex()}"
    ) as thief:
        assert (await thief.get(API)).status_code == 401


async def test_an_operator_is_made_and_unmade(site: Site) -> None:
    """By the command's service, with immediate effect on sessions that are open."""
    world = site.world
    account = await site.enrol(world.platform, Role.MEMBER)
    async with world.databases.transaction(world.platform) as session:
        email = (await session.get_one(User, account)).email
        before = await site.sessions.begin(session, account)
    assert (await console(site, before)).status_code == 404
    async with world.databases.transaction(world.platform) as session:
        granted = await people.grant(session, site.sessions, email)
        assert granted.invitation is None
        after = await site.sessions.begin(session, account)
    assert (await console(site, before)).status_code == 404
    assert (await console(site, after)).status_code == 200
    async with world.databases.transaction(world.platform) as session:
        await people.withdraw(session, site.sessions, email)
    assert (await console(site, after)).status_code == 404


async def test_nobody_becomes_an_operator_by_an_address_that_may_not_be_theirs(
    site: Site,
) -> None:
    """Anybody may sign up with a colleague's address before the colleague does."""
    world = site.world
    account = await site.enrol(world.platform, Role.MEMBER)
    async with world.databases.transaction(world.platform) as session:
        user = await session.get_one(User, account)
        user.password_hash = "chosen by whoever it was"
    async with world.databases.transaction(world.platform) as session:
        with pytest.raises(Conflict):
            await people.grant(session, site.sessions, user.email)
    async with world.databases.transaction(world.platform) as session:
        (await session.get_one(User, account)).email_confirmed_at = now()
    async with world.databases.transaction(world.platform) as session:
        await people.grant(session, site.sessions, user.email)


async def test_somebody_new_is_invited(site: Site) -> None:
    """Who has no account gets one, and a link to choose a password."""
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        granted = await people.grant(session, site.sessions, "New.Operator@example.com", "Nina")
        again = await people.grant(session, site.sessions, "new.operator@example.com")
        made = await session.get_one(User, granted.user_id)
    assert (made.email, made.role) == ("new.operator@example.com", "staff")
    assert granted.invitation
    assert again.invitation is None


async def console(site: Site, token: str) -> httpx.Response:
    """The console as the browser with this session sees it."""
    async with site.visitor(site.world.platform) as client:
        client.cookies.set("atrium", token)
        return await client.get("/operator")
