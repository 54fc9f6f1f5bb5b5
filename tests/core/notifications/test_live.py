"""The stream under the bell: woken by what happens.

That it ends with the session, the tenant and so on is tested for every stream: tests/attack.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from atrium.testing.site import Site
from core import clock
from core.auth import sessions
from core.auth.models import User, UserSession
from core.notifications import live, services
from core.permissions import Role
from core.web import ears, streams
from plugins.car_hire.notices import BOOKED
from tests.core.notifications.people import Person
from tests.core.notifications.streaming import PATH, listening, signed_in


async def test_what_happens_is_told_at_once(site: Site) -> None:
    """First how it stands, without telling again what is old; then what is new, and what is read
    in another window."""
    person = await Person.of(site, site.world.acme)
    old = await person.tell()
    browser = await signed_in(person)
    async with listening(site, browser) as stream:
        first = await stream.next()
        assert first["data"] == {"unread": 1, "quiet": False, "news": []}
        assert first["id"] == str(old)
        new = await person.tell(number="NEW-1")
        second = await stream.next()
        assert second["data"]["unread"] == 2
        assert [each["id"] for each in second["data"]["news"]] == [str(new)]
        assert "NEW-1" in second["data"]["news"][0]["text"]
        assert (await browser.post("/notifications/reading")).status_code == 303
        assert (await stream.next())["data"] == {"unread": 0, "quiet": False, "news": []}


async def test_nothing_is_lost_while_nobody_listens(site: Site) -> None:
    """A browser that comes back with the id it heard last is told what came since, and once."""
    person = await Person.of(site, site.world.delta)
    await person.tell()
    browser = await signed_in(person)
    async with listening(site, browser) as stream:
        last = (await stream.next())["id"]
    missed = [await person.tell() for _ in range(2)]
    async with listening(site, browser, last) as stream:
        back = await stream.next()
        assert [each["id"] for each in back["data"]["news"]] == [str(each) for each in missed]
        await person.tell()
        assert len((await stream.next())["data"]["news"]) == 1
    async with listening(site, browser, "no id") as stream:
        assert (await stream.next())["data"]["news"] == []


async def test_a_lost_hint_is_made_up_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was not woken looks at the next sign of life."""
    person = await Person.of(site, site.world.acme)
    monkeypatch.setattr(live, "BEAT", 0.3)
    async with listening(site, await signed_in(person)) as stream:
        assert (await stream.next())["data"]["unread"] == 0
        with monkeypatch.context() as deaf:
            deaf.setattr(services, "wake_after", lambda *_: None)
            await person.tell()
        assert (await stream.next())["data"]["unread"] == 1


async def test_colleagues_and_other_tenants_hear_nothing(site: Site) -> None:
    """What one person is told reaches their own streams alone."""
    mine, colleague = [await Person.of(site, site.world.acme) for _ in range(2)]
    stranger = await Person.of(site, site.world.bravo)
    async with (
        listening(site, await signed_in(mine)) as own,
        listening(site, await signed_in(colleague)) as other,
    ):
        await own.next()
        await other.next()
        await stranger.tell()
        await mine.tell()
        assert (await own.next())["data"]["unread"] == 1
        with pytest.raises(TimeoutError):
            await other.next(within=0.5)


async def test_a_lost_permission_is_lost_in_open_streams(site: Site) -> None:
    """What was told to the desk is not there for who has become a customer."""
    person = await Person.of(site, site.world.acme)
    await person.tell(BOOKED)
    async with listening(site, await signed_in(person)) as stream:
        assert (await stream.next())["data"]["unread"] == 1
        async with person.at() as session:
            demoted = update(User).where(User.id == person.id).values(role=Role.MEMBER.value)
            await session.execute(demoted)
            site.sessions.forget_after(session, person.id)
        assert (await stream.next())["data"]["unread"] == 0


async def test_a_person_has_so_many_streams_and_no_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest gives way."""
    monkeypatch.setattr(ears, "MOST", 1)
    person = await Person.of(site, site.world.acme)
    browser = await signed_in(person)
    async with listening(site, browser) as first:
        await first.next()
        async with listening(site, browser) as second:
            await second.next()
            assert (await first.next())["event"] == "over"
            await person.tell()
            assert (await second.next())["data"]["unread"] == 1
    assert not site.edge.tenants.state["ears"]._open


async def test_a_tenant_has_so_many_streams_and_no_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes then is asked to come later; another tenant is let in, and so is the next
    once one has ended."""
    monkeypatch.setattr(streams, "MOST_OF_A_TENANT", 1)
    tenant = await site.world.provision()
    first, second = [await Person.of(site, tenant) for _ in range(2)]
    stranger = await Person.of(site, await site.world.provision())
    async with listening(site, await signed_in(first)) as open_one:
        await open_one.next()
        refused = await (await signed_in(second)).get(PATH)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
        assert refused.headers["content-type"] == "application/problem+json"
        async with listening(site, await signed_in(stranger)) as elsewhere:
            await elsewhere.next()
        await first.tell()
        assert (await open_one.next())["data"]["unread"] == 1
    async with listening(site, await signed_in(second)) as in_its_place:
        await in_its_place.next()
    assert not site.edge.open_streams._by_tenant.keys() & {tenant.id, stranger.tenant.id}


async def test_a_stream_keeps_no_session_alive(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by being asked for as browsers do, nor by all its looks: it ends when the session
    has been idle for too long."""
    monkeypatch.setattr(streams, "LOOK_EVERY", 0.05)
    person = await Person.of(site, site.world.acme)
    browser = await signed_in(person)
    browser.headers["accept"] = "text/event-stream"
    mine = UserSession.user_id == person.id

    async def idle_for(so_long: timedelta) -> datetime:
        moment = clock.now() - so_long
        async with person.at() as session:
            await session.execute(update(UserSession).where(mine).values(last_seen_at=moment))
            site.sessions.forget_after(session, person.id)
        return moment

    moment = await idle_for(sessions.IDLE - timedelta(hours=1))
    async with listening(site, browser) as stream:
        await stream.next()
        await asyncio.sleep(0.3)
        async with person.at() as session:
            seen = select(UserSession.last_seen_at).where(mine)
            assert await session.scalar(seen) == moment
        await idle_for(sessions.IDLE + timedelta(minutes=1))
        assert await stream.stream.ends(5)


async def test_streams_hold_no_connection(site: Site) -> None:
    """Twenty of them, and PostgreSQL has no transaction of theirs."""
    tenant = await site.world.provision()
    people = [await Person.of(site, tenant) for _ in range(20)]
    running = [listening(site, await signed_in(each)) for each in people]
    for stream in [await each.__aenter__() for each in running]:
        await stream.next()
    async with people[0].at() as session:
        query = text(
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
            " AND datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert await session.scalar(query) == 0
    for each in running:
        await each.__aexit__(None, None, None)
