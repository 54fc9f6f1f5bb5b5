"""In from the portal by a token that works once."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import func, select

from core.auth import entry
from core.auth.models import UserSession
from core.permissions import Role
from tests.core.auth.app import Neighbourhood, path_of
from tests.core.auth.conftest import MakePerson
from tests.core.auth.pages import sign_in
from tests.core.conftest import CoreScopes


async def test_a_token_lets_in_once_without_leaking(
    town: Neighbourhood, make_person: MakePerson, scopes: CoreScopes
) -> None:
    """A fresh session for the first who brings it; nothing is cached or sent on as referrer."""
    person = await make_person(Role.OWNER)
    async with scopes.databases.transaction(scopes.acme) as session:
        token = await entry.issue(session, person.id)
    async with town.browser("bravo") as elsewhere:
        assert (await elsewhere.post("/enter", data={"token": token})).status_code == 410
    async with town.browser() as first, town.browser() as second:
        answer = await first.post("/enter", data={"token": token, "next": "/account"})
        assert (answer.status_code, path_of(answer)) == (303, "/account")
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert (await first.get("/test/public")).text == person.email
        again = await second.post("/enter", data={"token": token})
        assert again.status_code == 410
        assert "set-cookie" not in again.headers


async def test_following_a_link_signs_nobody_in(
    town: Neighbourhood, make_person: MakePerson, scopes: CoreScopes
) -> None:
    """It says whom it would sign in and leaves that to a button; scanners use nothing up."""
    person = await make_person(Role.OWNER)
    async with scopes.databases.transaction(scopes.acme) as session:
        token = await entry.issue(session, person.id)
    async with town.browser() as lured:
        for _ in range(2):
            page = await lured.get("/enter", params={"token": token, "next": "/account"})
            assert page.status_code == 200
            assert page.headers["referrer-policy"] == "no-referrer"
            assert person.email in page.text
            assert 'value="/account"' in page.text
            assert "set-cookie" not in page.headers
        assert (await lured.get("/test/public")).text == "nobody"
        came = await lured.post("/enter", data={"token": token})
        assert came.status_code == 303


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost", 303),
        ("http://evil.localhost", 403),
        ("http://bravo.localhost", 403),
        ("https://localhost", 403),
        ("null", 403),
    ],
)
async def test_of_other_sites_the_portal_alone_may_send_people_in(
    town: Neighbourhood, make_person: MakePerson, scopes: CoreScopes, origin: str, status: int
) -> None:
    """And only to this door: everywhere else its pages are as foreign as any."""
    person = await make_person(Role.OWNER)
    async with scopes.databases.transaction(scopes.acme) as session:
        token = await entry.issue(session, person.id)
    foreign = {"origin": origin, "sec-fetch-site": "cross-site"}
    async with town.browser(**foreign) as browser:
        answer = await browser.post("/enter", data={"token": token})
        assert answer.status_code == status
        assert (await browser.post("/sign-out")).status_code == 403


async def test_entering_replaces_whoever_was_signed_in(
    browser: httpx.AsyncClient, make_person: MakePerson, scopes: CoreScopes
) -> None:
    """The browser is one person afterwards, and the earlier session is over."""
    earlier, owner = await make_person(), await make_person(Role.OWNER)
    await sign_in(browser, earlier)
    async with scopes.databases.transaction(scopes.acme) as session:
        token = await entry.issue(session, owner.id)
    await browser.post("/enter", data={"token": token})
    assert (await browser.get("/test/public")).text == owner.email
    async with scopes.databases.transaction(scopes.acme) as session:
        left = select(func.count()).where(UserSession.user_id == earlier.id)
        assert await session.scalar(left) == 1  # the one that make_person began
