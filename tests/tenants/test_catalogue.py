"""Hosts find their tenants, everywhere at once after a change."""

from __future__ import annotations

import asyncio
import secrets
from uuid import uuid4

import pytest

from atrium.testing.world import World
from core.clock import now
from core.scope import TENANT_ZERO, Tenant
from core.signals import Signals
from core.web.hosts import normalise
from tenants import catalogue, lifecycle
from tenants.catalogue import Catalogue
from tenants.domains.models import TenantHost


async def _served(world: World, header: str) -> Tenant | None:
    """What the edge does with a Host header."""
    host = normalise(header)
    return await world.directory.by_host(host) if host else None


@pytest.mark.parametrize(
    "header",
    [
        "acme.localhost",
        "ACME.LocalHost",
        "acme.localhost.",
        "acme.localhost:8000",
        "ACME.LOCALHOST.:80",
    ],
)
async def test_a_host_is_found_however_it_is_written(world: World, header: str) -> None:
    """Case, trailing dot and port make no difference."""
    assert await _served(world, header) == world.acme


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nobody.localhost",
        "bravo@acme.localhost",
        "acme.localhost@evil.example",
        "acme.localhost:8000@evil.example",
        "acme.localhost/../bravo",
        "acme.localhost..",
        ".acme.localhost",
        "acme..localhost",
        "a.acme.localhost",
        "acme.localhost.evil.example",
        "acmelocalhost",
        "acme.localhost:80:80",
        "acme.localhost:port",
        "acme.localhost, bravo.localhost",
        "acme .localhost",
        "acme.localhost\x00",
        "acme_.localhost",
        "аcme.localhost",  # noqa: RUF001  # a Cyrillic a
        "xn--cme-7cd.localhost",  # the same in punycode
        "ａcme.localhost",  # noqa: RUF001  # full width: NFKC would make it acme
        "acme。localhost",  # an ideographic full stop, which IDNA maps to a dot
        "[::1]",
        "127.0.0.1",
        "www.localhost",
        "x" * 64 + ".localhost",
        "a." * 130 + "localhost",
    ],
)
async def test_every_other_host_is_nobodys(world: World, header: str) -> None:
    """Malformed, disguised, unknown and reserved hosts are served no tenant."""
    assert await _served(world, header) is None


async def test_the_base_domain_is_the_platforms(world: World) -> None:
    """The portal's host, and tenant zero's id."""
    for found in (await _served(world, "LOCALHOST:8000"), await world.directory.by_id(TENANT_ZERO)):
        assert found is not None
        assert found.is_platform
        assert found.scope.name == "platform"


async def test_an_own_domain_counts_once_it_is_verified(world: World) -> None:
    """Before that, anybody could claim somebody else's name."""
    host = f"hire-{secrets.token_hex(4)}.example"
    async with world.databases.transaction(world.platform) as session:
        claim = TenantHost(host=host, tenant_id=world.bravo.id, token="x")
        session.add(claim)
    assert await _served(world, host) is None
    async with world.databases.transaction(world.platform) as session:
        (await session.get_one(TenantHost, claim.id)).verified_at = now()
    world.directory.forget(world.bravo.id)
    assert await _served(world, host) == world.bravo


def test_addresses_are_built_from_the_settings(world: World) -> None:
    """A tenant's at its subdomain, the platform's at the base domain."""
    assert world.directory.url_of(world.acme, "/x") == "http://acme.localhost:8000/x"
    assert world.directory.url_of(world.platform, "/x") == "http://localhost:8000/x"


async def test_an_answer_is_held_and_costs_no_query(world: World) -> None:
    """The same object comes back, until the tenant is forgotten."""
    first = await world.directory.by_host("acme.localhost")
    assert await world.directory.by_host("acme.localhost") is first
    world.directory.forget(world.acme.id)
    again = await world.directory.by_host("acme.localhost")
    assert again is not first
    assert again == first


async def test_an_answer_ages_out_without_any_announcement(world: World) -> None:
    """The safety net: a lost announcement is made up for after the time to live."""
    short = Catalogue(world.settings, world.databases, world.lines, ttl=0.05)
    first = await short.by_id(world.acme.id)
    await asyncio.sleep(0.06)
    assert await short.by_id(world.acme.id) is not first


async def test_an_answer_ages_out_sooner_while_nothing_is_heard(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Announcements do not reach a process without Redis, so it asks more often."""
    monkeypatch.setattr(catalogue, "UNHEARD_TTL", 0.05)
    deaf = Signals(world.settings.redis_url)
    directory = Catalogue(world.settings, world.databases, world.lines, ttl=3600)
    directory.listen(deaf)
    first = await directory.by_id(world.acme.id)
    await asyncio.sleep(0.06)
    assert await directory.by_id(world.acme.id) is not first
    async with deaf.listening():
        await asyncio.wait_for(deaf.connected.wait(), 5)
        heard = await directory.by_id(world.acme.id)
        await asyncio.sleep(0.06)
        assert await directory.by_id(world.acme.id) is heard


async def test_an_answer_read_before_a_change_is_not_kept(world: World) -> None:
    """An announcement that arrives while an answer is being read makes it history."""
    directory = Catalogue(world.settings, world.databases, world.lines)
    reading = asyncio.create_task(directory.by_id(world.acme.id))
    await asyncio.sleep(0)
    directory.forget(world.acme.id)
    first = await reading
    assert await directory.by_id(world.acme.id) is not first


async def test_a_change_reaches_every_process(world: World) -> None:
    """Suspended here, no longer active in another process's directory a moment later."""
    tenant = await world.provision()
    other_signals = Signals(world.settings.redis_url)
    other = Catalogue(world.settings, world.databases, world.lines, ttl=3600)
    other.listen(other_signals)
    async with other_signals.listening():
        await asyncio.wait_for(other_signals.connected.wait(), 5)
        for change, status in ((lifecycle.suspend, "suspended"), (lifecycle.resume, "active")):
            await other.by_id(tenant.id)
            async with world.databases.transaction(world.platform) as session:
                await change(session, world.signals, tenant.id)
            mine = await world.directory.by_id(tenant.id)
            assert mine is not None
            assert mine.status == status, "this process knows at once"
            async with asyncio.timeout(5):
                await _until(other, tenant, status)


async def _until(directory: Catalogue, tenant: Tenant, status: str) -> None:
    while True:
        found = await directory.by_id(tenant.id)
        if found is not None and found.status == status:
            return
        await asyncio.sleep(0.01)


async def test_a_product_is_taken_away_and_given_back_at_once(world: World) -> None:
    """Its data stays; the directory says so without a restart."""
    tenant = await world.provision(plugins=("car_hire",))
    async with world.databases.transaction(world.platform) as session:
        await lifecycle.disable_plugin(session, world.signals, tenant.id, "car_hire")
    found = await world.directory.by_id(tenant.id)
    assert found is not None
    assert found.plugins == frozenset()
    async with world.databases.transaction(world.platform) as session:
        assert await lifecycle.enable_plugin(session, world.signals, tenant.id, "car_hire") is None
    found = await world.directory.by_id(tenant.id)
    assert found is not None
    assert found.plugins == {"car_hire"}


async def test_a_product_never_had_is_set_up_by_a_run(world: World) -> None:
    """Its tables are made and its seed is laid before the tenant has it."""
    tenant = await world.provision(plugins=())
    async with world.databases.transaction(world.platform) as session:
        run_id = await lifecycle.enable_plugin(session, world.signals, tenant.id, "car_hire")
    assert run_id is not None
    found = await world.directory.by_id(tenant.id)
    assert found is not None
    assert found.plugins == frozenset()
    await world.provisioner.run(run_id)
    found = await world.directory.by_id(tenant.id)
    assert found is not None
    assert found.plugins == {"car_hire"}


async def test_nobody_has_an_unknown_id(world: World) -> None:
    """An id that was never given finds nothing, and is remembered as such."""
    assert await world.directory.by_id(uuid4()) is None
