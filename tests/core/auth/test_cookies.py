"""The session cookie: its name and flags, planted and made-up ones, other sites."""

from __future__ import annotations

import httpx

from core.auth.authority import Authority
from core.plugin import Plugins
from core.settings import Settings
from tests.core.auth.app import Neighbourhood, path_of, set_cookie
from tests.core.auth.conftest import MakePerson
from tests.core.auth.pages import sign_in, wear
from tests.core.conftest import CoreScopes


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
