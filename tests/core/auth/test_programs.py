"""Programs sign in with a bearer token; what happens while Redis is away."""

from __future__ import annotations

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import select

from atrium.up.process import free_port
from core.audit.models import AuditEntry
from core.auth import services
from core.auth.authority import Authority
from core.origin import networks
from core.plugin import Plugins
from tests.core.auth.app import HTTP, Neighbourhood
from tests.core.auth.conftest import PASSWORD, MakePerson
from tests.core.auth.pages import sign_in
from tests.core.conftest import CoreScopes


async def test_a_program_signs_in_with_a_bearer_token(
    town: Neighbourhood, make_person: MakePerson
) -> None:
    """The token opens the API of its tenant, not pages, not other tenants, not after the end."""
    person = await make_person()
    async with town.browser(accept="application/json") as client:
        client.headers.pop("sec-fetch-site")
        given = {"email": person.email, "password": PASSWORD}
        made = await client.post("/api/v1/sessions", json=given)
        assert made.status_code == 201
        assert made.json()["person"]["email"] == person.email
        bearer = {"authorization": f"Bearer {made.json()['token']}"}
        me = await client.get("/api/v1/sessions/current", headers=bearer)
        assert me.json()["id"] == str(person.id)
        assert (await client.get("/test/public", headers=bearer)).text == "nobody"
        async with town.browser("bravo") as elsewhere:
            other = await elsewhere.get("/api/v1/sessions/current", headers=bearer)
            assert other.status_code == 401
        cookie = {"cookie": f"atrium={made.json()['token']}"}
        assert (await client.get("/test/public", headers=cookie)).text == "nobody"
        assert (await client.delete("/api/v1/sessions/current", headers=bearer)).status_code == 204
        ended = await client.get("/api/v1/sessions/current", headers=bearer)
        assert ended.status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"email": "nobody@example.com", "password": "x"}, 401),
        ({"email": "nobody@example.com"}, 422),
        ({"email": 7, "password": "x"}, 422),
        ({"email": "a@example.com", "password": "x", "role": "owner"}, 422),
        ([], 422),
    ],
)
async def test_bad_credentials_are_problems(
    body: object, status: int, browser: httpx.AsyncClient
) -> None:
    """Every refusal of the API is problem+json."""
    answer = await browser.post("/api/v1/sessions", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_sign_in_page_answers_while_redis_is_away(
    scopes: CoreScopes, make_person: MakePerson
) -> None:
    """Nobody is locked out because the throttle lost its memory."""
    person = await make_person()
    async with Redis.from_url(f"redis://127.0.0.1:{free_port()}") as away:
        alone = Authority.of(HTTP, Plugins({}), redis=away)
        async with Neighbourhood(scopes, alone, HTTP).browser() as client:
            assert (await sign_in(client, person)).status_code == 303
            assert (await client.get("/test/public")).text == person.email
        alone.passwords.close()


async def test_a_claimed_address_is_not_noted(
    browser: httpx.AsyncClient,
    make_person: MakePerson,
    scopes: CoreScopes,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proxy of ours that adds a line of its own leaves the client's claim in the first one."""
    monkeypatch.setattr(authority, "proxies", networks("203.0.113.7"))
    person = await make_person()
    browser.headers = httpx.Headers(
        [
            *browser.headers.items(),
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "198.51.100.7"),
        ]
    )
    await sign_in(browser, person)
    async with scopes.databases.transaction(scopes.acme) as session:
        mine = select(AuditEntry.address).where(
            AuditEntry.actor_id == person.id, AuditEntry.action == "core.signed_in"
        )
        assert (await session.scalars(mine)).one() == "198.51.100.7"


async def test_signing_in_is_noted(
    browser: httpx.AsyncClient, make_person: MakePerson, scopes: CoreScopes
) -> None:
    """The audit log has who came in and from where."""
    person = await make_person()
    await sign_in(browser, person)
    async with scopes.databases.transaction(scopes.acme) as session:
        mine = select(AuditEntry).where(
            AuditEntry.actor_id == person.id, AuditEntry.action == "core.signed_in"
        )
        assert (await session.scalars(mine)).one().address == "203.0.113.7"
        assert len(await services.own_sessions(session, person.identity)) == 2
