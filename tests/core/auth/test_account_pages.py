"""The account page: sessions, password, language."""

from __future__ import annotations

import httpx
from sqlalchemy import select

from core.auth.models import UserSession
from tests.core.auth.app import Neighbourhood, path_of
from tests.core.auth.conftest import PASSWORD, MakePerson
from tests.core.auth.pages import sign_in, wear
from tests.core.conftest import CoreScopes


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
