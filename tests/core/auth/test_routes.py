"""Signing in and out by the pages: anonymous, other tenant, valid; cookies and fixation."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select

from atrium.up.process import free_port
from core.audit.models import AuditEntry
from core.auth import entry, services
from core.auth.authority import Authority
from core.auth.models import UserSession
from core.permissions import Role
from core.plugin import Plugins
from core.settings import Settings
from tests.core.auth.app import Neighbourhood, path_of, set_cookie
from tests.core.auth.conftest import PASSWORD, MakePerson, Person
from tests.core.conftest import CoreScopes

HTTP = Settings(database_url="", public_scheme="http", development=True)


@pytest.fixture
async def town(scopes: CoreScopes, authority: Authority) -> Neighbourhood:
    """Three tenants, each at its own host."""
    return Neighbourhood(scopes, authority, HTTP)


@pytest.fixture
async def browser(town: Neighbourhood) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at acme's host."""
    async with town.browser() as client:
        yield client


def wear(client: httpx.AsyncClient, person: Person) -> None:
    """Give the browser the session of a person, as a stolen or kept cookie would."""
    client.headers["cookie"] = f"atrium={person.signed_in.token}"


async def sign_in(client: httpx.AsyncClient, person: Person, **form: str) -> httpx.Response:
    """Fill in the sign-in form."""
    given = {"email": person.email, "password": PASSWORD, **form}
    return await client.post("/sign-in", data=given)


# Who may come in -----------------------------------------------------------------------------


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


# The session cookie --------------------------------------------------------------------------


async def test_the_cookie_on_localhost(browser: httpx.AsyncClient, make_person: MakePerson) -> None:
    """Plain name without Secure, since localhost has no https; still out of scripts' reach."""
    line = set_cookie(await sign_in(browser, await make_person()), "atrium=")
    flags = {each.strip().lower() for each in line.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert "secure" not in flags
    assert not any(each.startswith("domain") for each in flags)


async def test_the_cookie_over_https(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """``__Host-`` with Secure, Path=/ and no Domain: no sibling subdomain can plant one."""
    https = Settings(database_url="")
    secure = Authority.of(https, Plugins({}))
    async with Neighbourhood(scopes, secure, https).browser() as client:
        line = set_cookie(await sign_in(client, await make_person()), "__Host-atrium=")
        flags = {each.strip().lower() for each in line.split(";")[1:]}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= flags
        assert not any(each.startswith("domain") for each in flags)
        client.headers["cookie"] = line.split(";")[0].replace("__Host-", "")
        client.cookies.clear()
        assert (await client.get("/test/public")).text == "nobody"
    secure.passwords.close()


async def test_a_planted_session_is_not_kept(
    browser: httpx.AsyncClient, make_person: MakePerson, town: Neighbourhood
) -> None:
    """Fixation: signing in gives a new secret, and what the browser had before is void."""
    attacker, victim = await make_person(), await make_person()
    planted = attacker.signed_in.token
    browser.cookies.set("atrium", planted)
    line = set_cookie(await sign_in(browser, victim), "atrium=")
    fresh = line.split(";")[0].removeprefix("atrium=")
    assert fresh not in {planted, ""}
    async with town.browser() as thief:
        thief.headers["cookie"] = f"atrium={planted}"
        assert (await thief.get("/test/public")).text == "nobody"
        thief.headers["cookie"] = f"atrium={fresh}"
        assert (await thief.get("/test/public")).text == victim.email


async def test_signing_out_ends_the_session_on_the_server(
    browser: httpx.AsyncClient, make_person: MakePerson, town: Neighbourhood
) -> None:
    """The cookie is taken back, and a copy of it is worth nothing."""
    person = await make_person()
    await sign_in(browser, person)
    kept = browser.cookies["atrium"]
    answer = await browser.post("/sign-out")
    assert (answer.status_code, path_of(answer)) == (303, "/")
    assert "Max-Age=0" in set_cookie(answer, "atrium=")
    async with town.browser() as copy:
        copy.headers["cookie"] = f"atrium={kept}"
        assert (await copy.get("/test/public")).text == "nobody"
    assert (await browser.post("/sign-out")).status_code == 303


async def test_another_site_can_neither_sign_in_nor_out(
    browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Cross-site and sibling-subdomain posts are refused before anything happens."""
    person = await make_person()
    wear(browser, person)
    for site in ("cross-site", "same-site"):
        for path in ("/sign-in", "/sign-out", "/test/member", "/account/password"):
            answer = await browser.post(path, headers={"sec-fetch-site": site})
            assert answer.status_code == 403, (site, path)
    del browser.headers["sec-fetch-site"]
    answer = await browser.post("/sign-out", headers={"origin": "http://bravo.localhost"})
    assert answer.status_code == 403
    assert (await browser.post("/sign-out")).status_code == 403  # a cookie, and no word of whence
    assert (await browser.get("/test/public")).text == person.email


# The forms -----------------------------------------------------------------------------------


async def test_a_wrong_password_keeps_what_was_typed_but_the_password(
    browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """The e-mail stays in its field, the password never comes back."""
    person = await make_person()
    answer = await sign_in(browser, person, password="wrong-and-visible")
    assert answer.status_code == 401
    assert person.email in answer.text
    assert "wrong-and-visible" not in answer.text
    assert "is not right" in answer.text
    assert "set-cookie" not in answer.headers


async def test_too_many_attempts_say_how_long_to_wait(
    browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """The ninth attempt gets 429 with Retry-After, and says so in the form."""
    person = await make_person()
    for _ in range(8):
        assert (await sign_in(browser, person, password="wrong")).status_code == 401
    answer = await sign_in(browser, person)
    assert answer.status_code == 429
    assert 800 < int(answer.headers["retry-after"]) <= 900
    assert "15 min" in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/ok\r\nset-cookie: a=b",
        "",
    ],
)
async def test_the_way_on_stays_on_this_host(
    target: str, browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """No address brings a person who signs in to somebody else's site."""
    answer = await sign_in(browser, await make_person(), next=target)
    if answer.status_code == 422:  # not even a text
        return
    assert (answer.status_code, path_of(answer)) == (303, "/")
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not-an-address"),
        ("email", "nul\0@example.com"),
        ("name", ""),
        ("name", "x" * 101),
        ("password", "short"),
        ("password", "password1234"),
        ("role", "owner"),
    ],
)
async def test_sign_up_refuses_by_field_and_loses_nothing(
    field: str, value: str, browser: httpx.AsyncClient
) -> None:
    """The error names the field; unknown fields, a role above all, are refused."""
    form = {"name": "Rita Lopes", "email": "rita@example.com", "password": PASSWORD}
    answer = await browser.post("/sign-up", data=form | {field: value})
    assert answer.status_code == 422
    if field != "name":
        assert "Rita Lopes" in answer.text
    if field != "role":
        assert f'id="{field}-error"' in answer.text
    assert "set-cookie" not in answer.headers


async def test_a_customer_signs_up_and_is_in(
    browser: httpx.AsyncClient, town: Neighbourhood
) -> None:
    """One form, and the account page shows who one is; the same e-mail again is refused."""
    form = {"name": "Rita <b>Lopes", "email": "Rita.New@example.com", "password": PASSWORD}
    answer = await browser.post("/sign-up", data=form)
    assert (answer.status_code, path_of(answer)) == (303, "/")
    page = await browser.get("/account")
    assert page.status_code == 200
    assert "rita.new@example.com" in page.text
    assert "Rita &lt;b&gt;Lopes" in page.text
    async with town.browser() as other:
        again = await other.post("/sign-up", data=form)
        assert again.status_code == 409
        assert 'id="email-error"' in again.text


# The account ---------------------------------------------------------------------------------


async def test_the_account_page_lists_and_ends_sessions(
    town: Neighbourhood, make_person: MakePerson, scopes: CoreScopes
) -> None:
    """A person sees each browser and ends them one by one or all but this one."""
    person = await make_person()
    async with town.browser() as here, town.browser(**{"user-agent": "Stolen 1"}) as there:
        await sign_in(here, person)
        await sign_in(there, person)
        page = await here.get("/account")
        assert "Stolen 1" in page.text
        assert "203.0.113.7" in page.text
        async with scopes.databases.transaction(scopes.acme) as session:
            stolen = await session.scalar(
                select(UserSession.id).where(UserSession.agent == "Stolen 1")
            )
        assert (await here.post(f"/account/sessions/{stolen}/end")).status_code == 303
        assert (await there.get("/test/public")).text == "nobody"
        await sign_in(there, person)
        assert (await here.post("/account/sessions/end-others")).status_code == 303
        assert (await there.get("/test/public")).text == "nobody"
        assert (await here.get("/test/public")).text == person.email


async def test_nobody_ends_anothers_session(
    browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """The id of somebody else's session is as good as none."""
    mine, other = await make_person(), await make_person()
    wear(browser, mine)
    answer = await browser.post(f"/account/sessions/{other.identity.session_id}/end")
    assert answer.status_code == 404
    wear(browser, other)
    assert (await browser.get("/test/public")).text == other.email


async def test_changing_the_password_renews_the_session(
    town: Neighbourhood, make_person: MakePerson
) -> None:
    """The browser that asks gets a new secret, every other one is out."""
    person = await make_person()
    async with town.browser() as here, town.browser() as there:
        await sign_in(here, person)
        await sign_in(there, person)
        before = here.cookies["atrium"]
        wrong = await here.post(
            "/account/password", data={"current": "no", "new": "battery staple 43"}
        )
        assert wrong.status_code == 422
        assert 'id="password-current-error"' in wrong.text
        changed = await here.post(
            "/account/password", data={"current": PASSWORD, "new": "battery staple 43"}
        )
        assert (changed.status_code, path_of(changed)) == (303, "/account")
        assert here.cookies["atrium"] != before
        assert (await here.get("/test/public")).text == person.email
        assert (await there.get("/test/public")).text == "nobody"
        assert (await sign_in(there, person)).status_code == 401
        assert (await sign_in(there, person, password="battery staple 43")).status_code == 303


async def test_the_account_speaks_the_chosen_language(
    browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Name and language are saved, and seen by the very next page."""
    wear(browser, await make_person())
    saved = await browser.post("/account", data={"name": "Nova Pessoa", "locale": "pt"})
    assert saved.status_code == 303
    page = (await browser.get("/account")).text
    assert 'lang="pt"' in page
    assert "Nova Pessoa" in page
    assert (await browser.post("/account", data={"name": "X", "locale": "xx"})).status_code == 422


# In by a token -------------------------------------------------------------------------------


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


# People and audit ----------------------------------------------------------------------------


async def test_an_admin_invites_and_the_colleague_comes_in(
    town: Neighbourhood, make_person: MakePerson
) -> None:
    """From the form to the link to the password to the desk."""
    admin = await make_person(Role.ADMIN)
    async with town.browser() as desk, town.browser() as colleague:
        wear(desk, admin)
        form = {"name": "Bea Costa", "email": "bea@example.com", "role": "staff"}
        answer = await desk.post("/settings/people/invite", data=form)
        assert answer.status_code == 200
        link = answer.text.partition("/invitation?token=")[2].partition("<")[0]
        page = await colleague.get(f"/invitation?token={link}")
        assert "Bea Costa" in page.text
        weak = await colleague.post("/invitation", data={"token": link, "password": "bea-costa-1"})
        assert weak.status_code == 422
        chosen = await colleague.post("/invitation", data={"token": link, "password": PASSWORD})
        assert chosen.status_code == 303
        assert (await colleague.get("/test/public")).text == "bea@example.com"
        assert (await colleague.get(f"/invitation?token={link}")).status_code == 410
        listed = await desk.get("/settings/people?q=bea&role=staff")
        assert "bea@example.com" in listed.text


async def test_a_role_and_a_door_change_from_the_persons_page(
    town: Neighbourhood, make_person: MakePerson
) -> None:
    """Another role or being disabled signs the person out; an owner is beyond an admin."""
    admin, staff = await make_person(Role.ADMIN), await make_person(Role.STAFF)
    owner = await make_person(Role.OWNER)
    async with town.browser() as desk, town.browser() as theirs:
        wear(desk, admin)
        wear(theirs, staff)
        page = f"/settings/people/{staff.id}"
        assert (await desk.get(page)).status_code == 200
        assert (await theirs.get("/test/public")).text == staff.email
        changed = await desk.post(page, data={"name": "New Name", "role": "admin"})
        assert changed.status_code == 303
        assert (await theirs.get("/test/public")).text == "nobody"
        assert (await sign_in(theirs, staff)).status_code == 303
        assert (await desk.post(f"{page}/disable")).status_code == 303
        theirs.headers.pop("cookie", None)
        assert (await theirs.get("/test/public")).text == "nobody"
        assert (await sign_in(theirs, staff)).status_code == 401
        assert (await desk.post(f"{page}/enable")).status_code == 303
        beyond = await desk.post(
            f"/settings/people/{owner.id}", data={"name": "O", "role": "member"}
        )
        assert beyond.status_code == 403


@pytest.mark.parametrize("path", ["/settings/people", "/settings/people/invite", "/settings/audit"])
async def test_settings_are_for_those_with_the_permission(
    path: str, browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Anonymous people sign in first, staff and customers are refused, admins see it."""
    assert (await browser.get(path)).status_code == 303
    for role, status in ((Role.MEMBER, 403), (Role.STAFF, 403), (Role.ADMIN, 200)):
        wear(browser, await make_person(role))
        assert (await browser.get(path)).status_code == status


async def test_a_person_of_another_tenant_does_not_exist(
    browser: httpx.AsyncClient, make_person: MakePerson, scopes: CoreScopes
) -> None:
    """Neither seen, changed nor disabled by their id."""
    wear(browser, await make_person(Role.OWNER))
    for tenant in (scopes.bravo, scopes.delta):
        stranger = await make_person(Role.MEMBER, tenant)
        page = f"/settings/people/{stranger.id}"
        assert (await browser.get(page)).status_code == 404
        assert (await browser.post(page, data={"name": "X", "role": "staff"})).status_code == 404
        for act in ("disable", "enable", "invite"):
            assert (await browser.post(f"{page}/{act}")).status_code == 404


async def test_the_audit_page_shows_and_filters(
    browser: httpx.AsyncClient, make_person: MakePerson, scopes: CoreScopes
) -> None:
    """What was done by the pages is there, with the address; nonsense filters are told."""
    admin = await make_person(Role.ADMIN)
    wear(browser, admin)
    await browser.post("/account", data={"name": "Audited Admin", "locale": ""})
    page = await browser.get("/settings/audit?action=core.profile_changed&q=&since=&until=")
    assert "core.profile_changed" in page.text
    assert "203.0.113.7" in page.text
    assert (await browser.get("/settings/audit?since=2020-01-01&until=2020-01-02")).text.count(
        "<tbody>"
    ) == 0
    assert 'id="since-error"' in (await browser.get("/settings/audit?since=yesterday")).text


# Programs ------------------------------------------------------------------------------------


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
