"""Sessions: begun, found without asking the database, ended everywhere."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from core import clock
from core.auth import entry, people, services, tasks
from core.auth.authority import Authority
from core.auth.models import OneTimeToken, User, UserSession
from core.auth.sessions import CACHED_FOR, IDLE, Known, SessionCache, SessionKey, Sessions
from core.auth.tokens import digest
from core.permissions import Role
from core.signals import Signals
from tests.core.auth.conftest import MakePerson
from tests.core.conftest import CoreScopes


async def test_only_the_hash_of_a_secret_is_kept(
    scopes: CoreScopes, make_person: MakePerson
) -> None:
    """Whoever reads the table cannot become anybody."""
    person = await make_person()
    token = person.signed_in.token
    assert len(token) >= 43  # 256 bits in base64
    async with scopes.databases.transaction(scopes.acme) as session:
        row = await session.get_one(UserSession, person.identity.session_id)
        assert row.token_hash == digest(token)
        whole = await session.scalar(
            text("SELECT string_agg(s::text, '') FROM sessions AS s"),
        )
        assert token not in whole


async def test_a_secret_is_nobody_at_another_tenant(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """The session lives in one scope, in the cache as in the database."""
    person = await make_person()
    token = person.signed_in.token
    async with scopes.databases.transaction(scopes.acme) as session:
        assert await authority.sessions.find(session, scopes.acme, token, "page")
    for other in (scopes.bravo, scopes.delta):
        async with scopes.databases.transaction(other) as session:
            assert await authority.sessions.find(session, other, token, "page") is None


async def test_a_page_secret_is_no_api_secret(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """A stolen cookie cannot be used as a bearer token, nor the other way round."""
    person = await make_person()
    async with scopes.databases.transaction(scopes.acme) as session:
        found = authority.sessions.find
        assert await found(session, scopes.acme, person.signed_in.token, "api") is None
        assert await found(session, scopes.acme, person.signed_in.token, "page") is not None


async def test_finding_again_asks_the_database_nothing(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """Within seconds the answer comes from memory: no transaction is even begun."""
    person = await make_person()
    async with scopes.databases.transaction(scopes.acme) as session:
        await authority.sessions.find(session, scopes.acme, person.signed_in.token, "page")
    untouched = scopes.databases.session(scopes.acme)
    identity = await authority.sessions.find(untouched, scopes.acme, person.signed_in.token, "page")
    assert identity == person.identity
    assert not untouched.in_transaction()


@pytest.mark.parametrize("act", ["sign out", "disable", "role", "password", "elsewhere"])
async def test_a_session_is_over_at_once(
    act: str, scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """Sign-out, disabling, another role or password: the old secret opens nothing any more."""
    person, owner = await make_person(), await make_person(Role.OWNER)
    token, acme = person.signed_in.token, scopes.acme
    async with scopes.databases.transaction(acme) as session:
        assert await authority.sessions.find(session, acme, token, "page")
    async with scopes.databases.transaction(acme) as session:
        match act:
            case "sign out":
                await services.sign_out(session, authority, person.identity)
            case "disable":
                await people.disable(session, authority, owner.identity, person.id)
            case "role":
                await people.change_role(session, authority, owner.identity, person.id, Role.STAFF)
            case "password":
                renewed = await services.change_password(
                    session,
                    authority,
                    person.identity,
                    current="correct horse 42",
                    new="battery staple 43",
                )
            case "elsewhere":
                await services.end_session(
                    session, authority, person.identity, person.identity.session_id
                )
    async with scopes.databases.transaction(acme) as session:
        assert await authority.sessions.find(session, acme, token, "page") is None
        if act == "password":
            assert await authority.sessions.find(session, acme, renewed.token, "page")


async def test_ending_is_undone_with_its_transaction(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """A sign-out that did not commit did not happen."""
    person = await make_person()
    session = scopes.databases.session(scopes.acme)
    await services.sign_out(session, authority, person.identity)
    await session.rollback()
    await session.close()
    async with scopes.databases.transaction(scopes.acme) as session:
        assert await authority.sessions.find(session, scopes.acme, person.signed_in.token, "page")


@pytest.mark.parametrize(
    "past",
    [
        {"last_seen_at": clock.now() - IDLE - timedelta(seconds=1)},
        {"expires_at": clock.now() - timedelta(seconds=1)},
    ],
)
async def test_a_session_ends_when_idle_and_when_old(
    past: dict[str, object],
    scopes: CoreScopes,
    authority: Authority,
    make_person: MakePerson,
) -> None:
    """Unused for a week, or a month old however much it is used."""
    person = await make_person()
    async with scopes.databases.transaction(scopes.acme) as session:
        await session.execute(
            update(UserSession).where(UserSession.id == person.identity.session_id).values(**past)
        )
    async with scopes.databases.transaction(scopes.acme) as session:
        token = person.signed_in.token
        assert await authority.sessions.find(session, scopes.acme, token, "page") is None


async def test_use_keeps_a_session_alive_without_making_others_wait(
    scopes: CoreScopes, authority: Authority, make_person: MakePerson
) -> None:
    """It is noted that a session was seen, by whoever gets the row without waiting for it."""
    person = await make_person()
    earlier = clock.now() - timedelta(hours=1)
    mine = UserSession.id == person.identity.session_id
    async with scopes.databases.transaction(scopes.acme) as session:
        await session.execute(update(UserSession).where(mine).values(last_seen_at=earlier))
    async with (
        scopes.databases.transaction(scopes.acme) as slow,
        scopes.databases.transaction(scopes.acme) as fast,
    ):
        await slow.execute(select(UserSession.id).where(mine).with_for_update())
        token = person.signed_in.token
        async with asyncio.timeout(2):
            assert await authority.sessions.find(fast, scopes.acme, token, "page")
        authority.sessions.cache.forget(scopes.acme.id, person.id)
        assert await authority.sessions.find(slow, scopes.acme, token, "page")
    async with scopes.databases.transaction(scopes.acme) as session:
        seen = await session.scalar(select(UserSession.last_seen_at).where(mine))
        assert seen is not None
        assert clock.now() - seen < timedelta(minutes=1)


async def test_what_was_read_before_a_change_is_not_kept_after_it(
    scopes: CoreScopes, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that ends between its reading and its keeping stays ended."""
    monkeypatch.setattr("core.auth.sessions.random.random", lambda: 0.0)
    person = await make_person()
    cache = SessionCache()
    sessions = Sessions(cache, lambda tenant, role: frozenset())
    key = SessionKey(scopes.acme.id, digest(person.signed_in.token), "page")
    async with scopes.databases.transaction(scopes.acme) as session:
        epoch = cache.epoch
        identity = await sessions.look_up(session, person.signed_in.token, "page")
    assert identity is not None
    known = Known(identity, time.monotonic(), clock.now())
    cache.forget(scopes.acme.id, person.id)
    cache.put(key, known, epoch)
    assert cache.get(key) is None
    cache.put(key, known, cache.epoch)
    assert cache.get(key) == known


async def test_what_goes_on_by_itself_keeps_no_session_alive(
    scopes: CoreScopes, make_person: MakePerson, authority: Authority
) -> None:
    """A stream that looks on notes nothing; what its person does is noted, even while the stream
    has the session remembered in this process; and an idle session ends in spite of the stream."""
    person = await make_person()
    acme, token, sessions = scopes.acme, person.signed_in.token, authority.sessions
    mine = UserSession.id == person.identity.session_id

    async def idle_for(so_long: timedelta) -> datetime:
        moment = clock.now() - so_long
        async with scopes.databases.transaction(acme) as session:
            await session.execute(update(UserSession).where(mine).values(last_seen_at=moment))
        sessions.cache.forget(acme.id, person.id)
        return moment

    moment = await idle_for(timedelta(hours=1))
    seen = select(UserSession.last_seen_at).where(mine)
    async with scopes.databases.transaction(acme) as session:
        assert await sessions.look_on(session, acme, token, "page")
        assert await session.scalar(seen) == moment
        assert await sessions.find(session, acme, token, "page")
        noted = await session.scalar(seen)
        assert noted is not None
        assert noted > moment
        assert await sessions.find(session, acme, token, "page")
        assert await session.scalar(seen) == noted  # not at every request
    await idle_for(IDLE + timedelta(minutes=1))
    async with scopes.databases.transaction(acme) as session:
        assert await sessions.look_on(session, acme, token, "page") is None


async def test_other_processes_hear_of_it(
    scopes: CoreScopes, make_person: MakePerson, authority: Authority, redis_url: str
) -> None:
    """A session that ended in one process is forgotten in the others within moments."""
    here, there = Signals(redis_url), Signals(redis_url)

    def permissions(*_: object) -> frozenset[str]:
        return frozenset()

    one = Sessions(SessionCache(here), permissions)
    other = Sessions(SessionCache(there), permissions)
    person = await make_person()
    acme, token = scopes.acme, person.signed_in.token
    async with here.listening(), there.listening():
        await asyncio.wait_for(asyncio.gather(here.connected.wait(), there.connected.wait()), 5)
        async with scopes.databases.transaction(acme) as session:
            assert await other.find(session, acme, token, "page")
        async with scopes.databases.transaction(acme) as session:
            await one.end_all(session, person.id)
        async with scopes.databases.transaction(acme) as session:
            for _ in range(200):  # two seconds, well below those that an entry lives
                found = await other.find(session, acme, token, "page")
                if found is None:
                    break
                await asyncio.sleep(0.01)
    assert found is None
    assert CACHED_FOR > 2


async def test_without_signals_an_entry_lives_a_moment_only(
    scopes: CoreScopes, make_person: MakePerson, authority: Authority
) -> None:
    """Redis away: a session ended by another process is over here within about a second."""
    person = await make_person()
    acme, token = scopes.acme, person.signed_in.token
    async with scopes.databases.transaction(acme) as session:
        assert await authority.sessions.find(session, acme, token, "page")
    async with scopes.databases.transaction(acme) as session:  # nobody tells this process
        await session.execute(
            update(User).where(User.id == person.id).values(disabled_at=clock.now())
        )
    await asyncio.sleep(1.1)
    async with scopes.databases.transaction(acme) as session:
        assert await authority.sessions.find(session, acme, token, "page") is None


async def test_what_was_read_before_the_end_is_not_kept_after_it(
    scopes: CoreScopes, make_person: MakePerson, authority: Authority
) -> None:
    """A read that began before a sign-out and ends after it does not bring the session back."""
    person = await make_person()
    cache = authority.sessions.cache
    epoch = cache.epoch
    await cache.forget_everywhere(scopes.acme.id, person.id)
    key = SessionKey(scopes.acme.id, digest(person.signed_in.token), "page")
    cache.put(key, Known(person.identity, time.monotonic(), clock.now()), epoch)
    assert cache.get(key) is None


async def test_the_night_takes_what_is_over_and_leaves_the_rest(
    scopes: CoreScopes, make_person: MakePerson, authority: Authority
) -> None:
    """Idle and expired sessions and stale tokens go; a live session and token stay."""
    idle, live = await make_person(), await make_person()
    async with scopes.databases.transaction(scopes.acme) as session:
        mine = UserSession.id == idle.identity.session_id
        long_ago = clock.now() - IDLE - timedelta(minutes=1)
        await session.execute(update(UserSession).where(mine).values(last_seen_at=long_ago))
        stale, fresh = await entry.issue(session, idle.id), await entry.issue(session, live.id)
        old = OneTimeToken.token_hash == digest(stale)
        await session.execute(update(OneTimeToken).where(old).values(expires_at=long_ago))
        await tasks.sweep.body(session)
        left = (await session.scalars(select(UserSession.id))).all()
        assert idle.identity.session_id not in left
        assert live.identity.session_id in left
        tokens = (await session.scalars(select(OneTimeToken.token_hash))).all()
        assert digest(stale) not in tokens
        assert digest(fresh) in tokens
