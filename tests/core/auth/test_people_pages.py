"""People and the audit log, for those with the permission."""

from __future__ import annotations

import httpx
import pytest

from core.permissions import Role
from tests.core.auth.app import Neighbourhood
from tests.core.auth.conftest import PASSWORD, MakePerson
from tests.core.auth.pages import sign_in, wear
from tests.core.conftest import CoreScopes


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
