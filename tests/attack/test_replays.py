"""Replays and forged requests for work: what one tenant was given once is worth nothing at
another, nor twice; and whoever can write to Redis can ring the bell and no more."""

from __future__ import annotations

import inspect
import secrets
import time
from collections.abc import Mapping
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from dramatiq.brokers.stub import StubBroker

from atrium.testing.site import Site
from atrium.testing.watched import Watched
from atrium.testing.world import World
from core.auth import entry
from core.auth.models import User
from core.ids import new_id
from core.permissions import Role
from core.scope import Tenant
from core.web.forms.bind import FORM_KEY
from tenants.lifecycle import suspend
from tests.attack.test_intruder import API, event, hook, notices, signed  # noqa: F401  # a fixture
from workers import worker
from workers.broker import DELIVER
from workers.runtime import Runtime

PASSWORD: Final = "a long enough one"  # of people who do not exist
USED_AT: Final[Mapping[str, tuple[str, set[int]]]] = {
    "issue": ("/enter", {303}),
    "issue_invitation": ("/invitation", {303}),
    "issue_reset": ("/password/reset", {200, 303}),
    "issue_confirmation": ("/account/email", {200, 303}),
}
"""Where each kind of single-use token is used, and what a good one is answered."""


@pytest.fixture(params=["acme", "delta"], ids=["pooled", "dedicated"])
def tenant(site: Site, request: pytest.FixtureRequest) -> Tenant:
    """A pooled tenant, and a dedicated one."""
    found: Tenant = getattr(site.world, request.param)
    return found


def others(world: World, tenant: Tenant) -> list[Tenant]:
    """Everybody else, and the portal."""
    return [each for each in (*world.tenants, world.platform) if each is not tenant]


def test_every_kind_of_token_is_replayed() -> None:
    """A new one must say where it is used."""
    found = {
        name
        for name, each in inspect.getmembers(entry, inspect.iscoroutinefunction)
        if each.__module__ == entry.__name__ and name.startswith("issue")
    }
    assert found == USED_AT.keys()


async def used(client: httpx.AsyncClient, path: str, token: str) -> int:
    """The answer to a token at the form of a kind."""
    typed = {"token": token}
    if path in {"/invitation", "/password/reset"}:
        typed["password"] = PASSWORD
    return (await client.post(path, data=typed)).status_code


@pytest.mark.parametrize("kind", USED_AT)
async def test_a_token_is_good_once_at_home_for_its_purpose(
    site: Site, tenant: Tenant, kind: str
) -> None:
    """Whose copy of the person bears the same id elsewhere changes nothing."""
    user_id = await site.enrol(tenant, Role.STAFF)
    for other in others(site.world, tenant):
        async with site.world.databases.transaction(other) as session:
            email = f"{user_id.hex}@people.example"
            session.add(User(id=user_id, email=email, name="The same id", role=Role.MEMBER))
    async with site.world.databases.transaction(tenant) as session:
        token = await getattr(entry, kind)(session, user_id)
    home, good = USED_AT[kind]
    for other in others(site.world, tenant):
        async with site.visitor(other) as thief:
            assert await used(thief, home, token) in {404, 410, 422}, other.slug
    for name, (path, _) in USED_AT.items():
        if name != kind:
            async with site.visitor(tenant) as thief:
                assert await used(thief, path, token) in {404, 410, 422}, path
    async with site.visitor(tenant) as owner, site.visitor(tenant) as thief:
        assert await used(owner, home, token) in good
        assert await used(thief, home, token) in {410, 422}


async def test_a_kept_answer_is_of_one_tenant(site: Site, tenant: Tenant) -> None:
    """The same key, the same person by id, the same request: elsewhere it is a first one."""
    world, user_id = site.world, await site.enrol(tenant, Role.STAFF)
    other = others(world, tenant)[0]
    async with world.databases.transaction(other) as session:
        email = f"{user_id.hex}@people.example"
        session.add(User(id=user_id, email=email, name="The same id", role=Role.STAFF))
    body = {
        "name": "Ana Vidal", "email": f"{secrets.token_hex(4)}@example.com", "phone": "",
        "licence_number": "PT-99887", "licence_country": "PT",
        "licence_expires": "2045-01-31", "born": "1990-02-28",
    }  # fmt: skip
    key = secrets.token_hex(16)
    answers = {}
    for each in (tenant, other):
        async with world.databases.transaction(each) as session:
            secret = await site.sessions.begin(session, user_id)
        async with site.visitor(each, cookie=f"atrium={secret}") as client:
            made = await client.post(
                f"{API}/customers", json=body, headers={"idempotency-key": key}
            )
            assert made.status_code == 201, made.text
            assert "idempotency-replayed" not in made.headers
            typed = {"name": "Class X", FORM_KEY: key}
            form = await client.post("/account", data=typed)
            assert "idempotency-replayed" not in form.headers
            answers[each.slug] = made.json()["id"]
    assert len(set(answers.values())) == 2


async def test_a_webhook_is_of_one_endpoint(
    site: Site,
    tenant: Tenant,
    hook: tuple[str, str],  # noqa: F811  # the fixture
) -> None:
    """What a vendor signed for one tenant is refused at another's endpoint, however addressed."""
    path, secret = hook
    body, now = event(f"evt_{secrets.token_hex(6)}"), int(time.time())
    world = site.world
    token = path.rpartition(".")[2]
    headers = {"stripe-signature": signed(secret, body, now)}
    before = {each.slug: await notices(site, each) for each in world.tenants}
    for other in others(world, tenant):
        async with site.visitor(other) as vendor:
            for owner in (other.id.hex, str(other.id), f"{other.id.hex}.{tenant.id.hex}"):
                at = f"/webhooks/stripe/{owner}.{token}"
                answer = await vendor.post(at, content=body, headers=headers)
                assert answer.status_code in {400, 401, 403, 404}, at
    assert {each.slug: await notices(site, each) for each in world.tenants} == before


@pytest.fixture
def watched(world: World) -> Watched:
    return Watched.of(world)


async def ring(runtime: Runtime, *said: Any) -> None:
    """What a worker does with a message of Redis that says so."""
    broker = StubBroker()  # type: ignore[no-untyped-call]  # Dramatiq leaves it without types
    life = worker.RuntimeLife(contextmanager(lambda: iter([runtime])))
    life.runtime = runtime
    worker._declare(broker, (), life)
    await inspect.unwrap(broker.get_actor(DELIVER).fn)(*said)  # without its thread


async def test_whoever_writes_to_redis_rings_and_no_more(watched: Watched, tenant: Tenant) -> None:
    """Forged ids, names and tenants: nothing runs, and no message is touched or made."""
    world, other = watched.world, others(watched.world, tenant)[0]
    mine = watched.actors[0]
    message = await watched.put(mine, tenant)
    product = next(each for each in watched.actors if each.name.startswith("car_hire."))
    platforms = next(each for each in watched.actors if each.name.startswith("tenants."))
    forged: list[tuple[object, ...]] = [
        (message, other.id, mine.name),
        (message, world.platform.id, mine.name),
        (message, new_id(), mine.name),
        (message, UUID(int=0), mine.name),
        (message, tenant.id, product.name),
        (message, tenant.id, platforms.name),
        (message, tenant.id, "core.no_such_thing"),
        (message, tenant.id, f"{mine.name}'; DROP TABLE outbox.messages; --"),
        (message, tenant.id, "os.system"),
        (new_id(), tenant.id, mine.name),
        (tenant.id, message, mine.name),
    ]
    for said in forged:
        await ring(watched.runtime, *map(str, said), "no trace\0")
        assert watched.ran == [], said
        assert await watched.is_untouched(message, tenant), said
    for garbage in ("", "x", "0" * 5000, "../..", "%s", "{}"):
        with pytest.raises(ValueError, match="UUID"):
            await ring(watched.runtime, garbage, str(tenant.id), mine.name, "")
        with pytest.raises(ValueError, match="UUID"):
            await ring(watched.runtime, str(message), garbage, mine.name, "")
    assert await watched.is_untouched(message, tenant)
    for _ in range(3):  # the true one, recorded and played again
        await ring(watched.runtime, str(message), str(tenant.id), mine.name, "")
    assert watched.ran == [(mine.name, tenant.id)]


async def test_ringing_for_whoever_may_not_work_wakes_nobody(watched: Watched) -> None:
    """Of a tenant that rests, or without the product, whatever Redis says."""
    world = watched.world
    resting, bare = await world.provision(), await world.provision(plugins=())
    product = next(each for each in watched.actors if each.name.startswith("car_hire."))
    put = [(each, await watched.put(product, each)) for each in (resting, bare)]
    async with world.databases.transaction(world.platform) as session:
        await suspend(session, world.signals, resting.id)
    for tenant, message in put:
        await ring(watched.runtime, str(message), str(tenant.id), product.name, "")
        assert await watched.is_untouched(message, tenant)
        await ring(watched.runtime, str(message), str(world.acme.id), product.name, "")
        assert await watched.is_untouched(message, tenant)
    assert watched.ran == []
