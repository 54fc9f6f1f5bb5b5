"""The pages: what there is, by filter; one's own choices; nobody else's anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from atrium.testing.site import Site
from core.auth.authority import LOCAL_COOKIE
from core.permissions import Role
from plugins.car_hire.notices import BOOKED, OWN_UNPAID
from tests.core.notifications.people import Person


@pytest.fixture(params=["acme", "delta"], ids=["pooled", "dedicated"])
async def person(site: Site, request: pytest.FixtureRequest) -> Person:
    """Somebody who works at a pooled tenant, and at a dedicated one."""
    return await Person.of(site, getattr(site.world, request.param))


@pytest.fixture
async def client(person: Person) -> AsyncIterator[httpx.AsyncClient]:
    """Their browser."""
    async with person.at() as session:
        token = await person.site.sessions.begin(session, person.id)
    async with person.site.visitor(person.tenant) as browser:
        browser.cookies.set(LOCAL_COOKIE, token)
        yield browser


async def test_the_bell_costs_a_page_no_query(person: Person, client: httpx.AsyncClient) -> None:
    """Its count comes with the stream; visitors who are not signed in have no bell."""
    await person.tell()
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        page = (await client.get("/account")).text
        async with person.site.visitor(person.tenant) as visitor:
            anonymous = (await visitor.get("/")).text
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert "<at-bell" in page
    assert "<at-bell" not in anonymous
    assert asked
    assert not [each for each in asked if "notification" in each]


async def test_the_page_shows_what_there_is(person: Person, client: httpx.AsyncClient) -> None:
    """Nothing at first, then all, the unread, one kind; following one leads to what it is about."""
    assert "Nothing has happened yet" in (await client.get("/notifications")).text
    first = await person.tell(number="OWN-1")
    await person.tell(BOOKED, number="DESK-1")
    everything = (await client.get("/notifications")).text
    assert "OWN-1" in everything
    assert "DESK-1" in everything
    followed = await client.get(f"/notifications/{first}")
    assert followed.status_code == 303
    assert followed.headers["location"].startswith("/car-hire/bookings/")
    unread = (await client.get("/notifications?show=unread")).text
    assert "OWN-1" not in unread
    kind = (await client.get(f"/notifications?kind={OWN_UNPAID.name}")).text
    assert "OWN-1" in kind
    assert "DESK-1" not in kind
    nothing = await client.get(f"/notifications?show=unread&kind={OWN_UNPAID.name}")
    assert "Nothing of that kind" in nothing.text


async def test_one_is_read_or_deleted_and_all_at_once(
    person: Person, client: httpx.AsyncClient
) -> None:
    """By the buttons of the page and of the panel."""
    first, _ = await person.tell(), await person.tell()
    assert (await client.post(f"/notifications/{first}/reading")).status_code == 303
    assert (await person.standing()).unread == 1
    panel = await client.get("/notifications/panel")
    assert panel.text.count("at-note-text") == 2
    as_panel = {"hx-request": "true", "hx-target": "at-bell-panel"}
    again = await client.post("/notifications/reading", headers=as_panel)
    assert again.status_code == 200
    assert "data-unread" not in again.text
    assert (await client.post(f"/notifications/{first}/removal")).status_code == 303
    assert len((await person.standing()).newest) == 1
    assert (await client.post("/notifications/clearing")).status_code == 303
    assert (await person.standing()).newest == []


async def test_what_others_were_told_does_not_exist(
    site: Site, person: Person, client: httpx.AsyncClient
) -> None:
    """Neither a colleague's, nor another tenant's: not to see, follow, mark or delete."""
    colleague = await Person.of(site, person.tenant)
    stranger = await Person.of(site, site.world.bravo)
    for other in (colleague, stranger):
        notification_id = await other.tell(number="SECRET-1")
        for path in ("/notifications", "/notifications/panel"):
            assert "SECRET-1" not in (await client.get(path)).text
        at = f"/notifications/{notification_id}"
        for answer in (
            await client.get(at),
            await client.post(f"{at}/reading"),
            await client.post(f"{at}/removal"),
        ):
            assert answer.status_code == 404
        for path in ("/notifications/reading", "/notifications/clearing"):
            await client.post(path)
        assert (await other.standing()).unread == 1


async def test_choices_are_kept(person: Person, client: httpx.AsyncClient) -> None:
    """What is ticked holds, what is not does not; a kind of others is not taken."""
    page = (await client.get("/account/notifications")).text
    assert "New bookings" in page
    chosen = {"app": [BOOKED.name, "portal.nothing"], "mail": OWN_UNPAID.name, "quiet": "on"}
    saved = await client.post("/account/notifications", data=chosen)
    assert saved.status_code == 303
    page = (await client.get("/account/notifications")).text
    ticked = {each.split('"')[0] for each in page.split('value="')[1:] if "checked" in each[:200]}
    assert BOOKED.name in ticked
    assert page.count(" checked") == 3
    assert 'name="quiet" value="on" checked' in page


async def test_customers_choose_among_what_concerns_them(site: Site) -> None:
    """Not what only the desk is told."""
    async with await site.person(site.world.acme, Role.MEMBER) as customer:
        page = (await customer.get("/account/notifications")).text
    assert "My booking was cancelled" in page
    assert "New bookings" not in page


async def test_the_portal_has_a_bell(site: Site) -> None:
    """With what concerns businesses, and nothing of any product's."""
    person = await Person.of(site, site.world.platform, Role.MEMBER)
    async with await site.person(person.tenant, Role.MEMBER) as owner:
        page = (await owner.get("/notifications")).text
        assert "/notifications/stream" in page
        choices = (await owner.get("/account/notifications")).text
    assert "New bookings" not in choices
