"""Who may come in: anonymous, another tenant, without the permission, with it."""

from __future__ import annotations

import httpx
import pytest

from core.permissions import Role
from tests.core.auth.app import Neighbourhood, path_of
from tests.core.auth.conftest import MakePerson
from tests.core.auth.pages import sign_in, wear


async def test_anonymous_is_sent_to_sign_in_and_back(
    browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """A page that needs a session leads to the form, and the form back to the page."""
    person = await make_person()
    answer = await browser.get("/test/member?from=2026-01-01&x=a%26b")
    assert answer.status_code == 303
    way = path_of(answer)
    assert way.startswith("/sign-in?next=/test/member")
    form = await browser.get(way)
    assert 'value="/test/member?from=2026-01-01&amp;x=a%26b"' in form.text
    entered = await sign_in(browser, person, next="/test/member?from=2026-01-01&x=a%26b")
    assert (entered.status_code, path_of(entered)) == (
        303,
        "/test/member?from=2026-01-01&x=a%26b",
    )
    assert (await browser.get("/test/member")).text == person.email


async def test_anonymous_api_gets_a_problem(browser: httpx.AsyncClient) -> None:
    """A program is told 401, never redirected."""
    answer = await browser.get("/api/test/member")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthenticated"


async def test_htmx_is_told_to_navigate(browser: httpx.AsyncClient) -> None:
    """A fragment cannot show the form; the whole page goes there and comes back."""
    answer = await browser.get(
        "/test/member",
        headers={"hx-request": "true", "hx-current-url": "http://acme.localhost/desk"},
    )
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in?next=/desk"


async def test_a_cookie_of_one_tenant_is_nobody_at_another(
    town: Neighbourhood, make_person: MakePerson
) -> None:
    """The secret of a session at acme opens nothing at bravo (pooled) or delta (dedicated)."""
    person = await make_person(Role.OWNER)
    for slug, expected in (("acme", person.email), ("bravo", "nobody"), ("delta", "nobody")):
        async with town.browser(slug) as client:
            wear(client, person)
            assert (await client.get("/test/public")).text == expected
            assert (await client.get("/api/test/member")).status_code == (
                200 if slug == "acme" else 401
            )


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.OWNER, 200), (Role.ADMIN, 200), (Role.STAFF, 403), (Role.MEMBER, 403)],
)
async def test_a_permission_is_asked_for(
    role: Role, status: int, browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Signed in is not enough where a permission is declared."""
    wear(browser, await make_person(role))
    assert (await browser.get("/test/permission")).status_code == status
    assert (await browser.get("/api/test/permission")).status_code == status


@pytest.mark.parametrize(
    "secret", ["", "x", "x" * 5000, "a\x7fb", "é", '"; DROP', "../../etc", "%00"]
)
async def test_a_made_up_cookie_is_nobody(secret: str, browser: httpx.AsyncClient) -> None:
    """Whatever is sent instead of a secret, the answer is the anonymous one."""
    cookie = [("cookie", f"atrium={secret}".encode())]
    assert (await browser.get("/test/public", headers=cookie)).text == "nobody"
