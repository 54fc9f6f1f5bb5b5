"""Who proves a name has it, for as long as the records are there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from core.errors import Conflict, Invalid
from core.scope import Tenant
from core.signals import Signals
from tenants.catalogue import Catalogue
from tenants.domains import checking, records, services
from tenants.domains.records import Seen, State
from tenants.domains.services import DomainTaken
from tenants.domains.views import Status, view
from tests.dns import NameServer
from tests.tenants.domains.conftest import Registry, fresh


async def served(registry: Registry, host: str) -> Tenant | None:
    """Who is served there by another process than this one."""
    world = registry.site.world
    directory = Catalogue(world.settings, world.databases, world.lines)
    return await directory.by_host(host)


def states(kept: dict[str, dict[str, object]] | None) -> tuple[State, State]:
    assert kept is not None
    return Seen.of(kept["ownership"]).state, Seen.of(kept["routing"]).state


async def test_a_claim_alone_serves_nobody(registry: Registry) -> None:
    """Before its records are found, and while one of them is missing or another's."""
    acme, host = registry.site.world.acme, fresh()
    domain_id = await registry.claim(acme, host)
    domain = await registry.look(domain_id)
    assert states(domain.records) == (State.MISSING, State.MISSING)
    registry.dns.zone[f"{records.CHALLENGE}.{host}", "TXT"] = ["atrium-verify=of-somebody-else"]
    registry.dns.zone[host, "CNAME"] = ["elsewhere.example"]
    domain = await registry.look(domain_id)
    assert states(domain.records) == (State.DIFFERENT, State.DIFFERENT)
    assert domain.records is not None
    assert domain.records["ownership"]["found"] == ["atrium-verify=of-somebody-else"]
    assert domain.records["routing"]["found"] == ["elsewhere.example"]
    registry.dns.zone[host, "CNAME"] = ["acme.localhost"]
    domain = await registry.look(domain_id)
    assert states(domain.records) == (State.DIFFERENT, State.RIGHT)
    assert domain.verified_at is None
    assert await served(registry, host) is None


async def test_who_makes_the_records_is_served_there(registry: Registry) -> None:
    """As soon as they are found; also by a CNAME to any other name of ours."""
    acme, host = registry.site.world.acme, fresh()
    domain = await registry.proved(acme, host)
    assert domain.verified_at is not None
    found = await served(registry, host)
    assert found is not None
    assert found.id == acme.id
    registry.dns.zone[host, "CNAME"] = ["former-slug.localhost"]
    assert (await registry.look(domain.id)).wrong_since is None


async def test_a_bare_domain_is_led_here_by_addresses(registry: Registry) -> None:
    """Those of the settings, or whatever our own name has: an ALIAS leaves no other trace."""
    acme, dns = registry.site.world.acme, registry.dns
    host = fresh().removeprefix("www.")
    domain_id = await registry.claim(acme, host)
    await registry.make_records(domain_id, acme)
    del dns.zone[host, "CNAME"]
    dns.zone[host, "A"] = ["192.0.2.7"]
    assert states((await registry.look(domain_id)).records)[1] is State.DIFFERENT
    dns.zone["acme.localhost", "A"] = ["192.0.2.7", "192.0.2.8"]
    assert states((await registry.look(domain_id)).records)[1] is State.RIGHT
    del dns.zone["acme.localhost", "A"]
    inspector = registry.inspector
    settings = replace(inspector.settings, domain_addresses="192.0.2.7, 2001:db8::7")
    other = Registry(registry.site, dns, replace(inspector, settings=settings))
    assert states((await other.look(domain_id)).records)[1] is State.RIGHT
    dns.zone[host, "A"] = ["192.0.2.7", "203.0.113.9"]  # half of its visitors go astray
    assert states((await other.look(domain_id)).records)[1] is State.DIFFERENT
    wanted = records.wanted(settings, "acme", host, "t")
    assert [each.kind for each in wanted] == ["TXT", "A", "AAAA", "ALIAS"]


async def test_of_two_claims_the_one_that_is_proved_wins(registry: Registry) -> None:
    """Whoever came first; and a third cannot even claim what works."""
    world, host = registry.site.world, fresh()
    first = await registry.claim(world.acme, host)
    second = await registry.claim(world.bravo, host)
    await registry.make_records(second, world.bravo)
    assert (await registry.look(first)).verified_at is None
    assert (await registry.look(second)).verified_at is not None
    assert (await registry.look(first)).verified_at is None
    with pytest.raises(DomainTaken):
        await registry.claim(world.delta, host)


async def test_a_name_stays_where_it_is_while_both_have_records(registry: Registry) -> None:
    """The newcomer is told; once the holder's record is gone, the name is the newcomer's."""
    world, host = registry.site.world, fresh()
    newcomer = await registry.claim(world.bravo, host)
    holder = await registry.proved(world.acme, host)
    await registry.make_records(newcomer, world.bravo)
    domain = await registry.look(newcomer)
    assert domain.verified_at is None
    async with registry.transaction() as session:
        shown = await view(session, world.settings, "bravo", await _of(session, world.bravo, host))
    assert shown.status is Status.TAKEN
    registry.dns.zone[f"{records.CHALLENGE}.{host}", "TXT"] = [records.proof(domain.token)]
    assert (await registry.look(newcomer)).verified_at is not None
    assert (await registry.now(holder.id)).verified_at is None
    found = await served(registry, host)
    assert found is not None
    assert found.id == world.bravo.id


async def _of(session: object, tenant: Tenant, host: str):  # type: ignore[no-untyped-def]
    found = await services.of(session, tenant.id)  # type: ignore[arg-type]
    return next(each for each in found if each.host == host)


async def test_a_name_whose_records_vanish_is_given_up_in_time(registry: Registry) -> None:
    """Wrong for an hour: a warning, once. Wrong for a week: served no more. Then right again."""
    acme, host = registry.site.world.acme, fresh()
    domain = await registry.proved(acme, host)
    registry.drop_records(host)
    wrong = await registry.look(domain.id)
    assert wrong.wrong_since is not None
    assert wrong.warned_at is None, "a moment is nobody's worry"
    await registry.pass_time(domain.id, checking.WARNED_AFTER)
    assert (await registry.look(domain.id)).warned_at is not None
    await registry.pass_time(domain.id, checking.GRACE - timedelta(hours=2))
    still = await registry.look(domain.id)
    assert still.verified_at is not None
    assert await served(registry, host) is not None
    await registry.pass_time(domain.id, timedelta(hours=2))
    assert (await registry.look(domain.id)).verified_at is None
    assert await served(registry, host) is None
    await registry.make_records(domain.id, acme)
    assert (await registry.look(domain.id)).verified_at is not None


async def test_nobody_loses_a_name_unwarned(registry: Registry) -> None:
    """Checks that stood still for a month begin with the warning, and wait some days more."""
    domain = await registry.proved(registry.site.world.acme)
    registry.drop_records(domain.host)
    await registry.look(domain.id)
    await registry.pass_time(domain.id, timedelta(days=30))
    warned = await registry.look(domain.id)
    assert warned.warned_at is not None
    assert warned.verified_at is not None
    assert (await registry.look(domain.id)).verified_at is not None
    await registry.pass_time(domain.id, checking.WARNED_BEFORE)
    assert (await registry.look(domain.id)).verified_at is None


async def test_records_that_come_back_end_the_worry(registry: Registry) -> None:
    """The week begins anew with the next fault."""
    acme = registry.site.world.acme
    domain = await registry.proved(acme)
    registry.drop_records(domain.host)
    await registry.look(domain.id)
    await registry.make_records(domain.id, acme)
    mended = await registry.look(domain.id)
    assert (mended.wrong_since, mended.warned_at) == (None, None)


@pytest.mark.parametrize("fault", ["silent", "broken"])
async def test_a_name_server_that_is_away_costs_nobody_a_name(
    registry: Registry, fault: str
) -> None:
    """What cannot be found out says nothing against it."""
    domain = await registry.proved(registry.site.world.acme)
    if fault == "silent":
        registry.dns.silent = True
        slow = replace(registry.inspector, resolver=registry.dns.resolver(0.2))
        registry = Registry(registry.site, registry.dns, slow)
    else:
        registry.dns.broken |= {domain.host, f"{records.CHALLENGE}.{domain.host}"}
    await registry.pass_time(domain.id, timedelta(days=60))
    after = await registry.look(domain.id)
    assert states(after.records) == (State.UNKNOWN, State.UNKNOWN)
    assert after.verified_at is not None
    assert after.wrong_since is None


async def test_a_claim_is_looked_at_ever_more_seldom(registry: Registry) -> None:
    """Twice the pause each time up to six hours; after a month of it not at all, until asked."""
    acme = registry.site.world.acme
    domain_id = await registry.claim(acme, fresh())
    pauses = []
    for _ in range(12):
        domain = await registry.look(domain_id)
        assert domain.next_check_at is not None
        assert domain.checked_at is not None
        pauses.append((domain.next_check_at - domain.checked_at).total_seconds())
    assert pauses[:4] == [60, 120, 240, 480]
    assert pauses[-1] == checking.LONGEST_PAUSE.total_seconds()
    async with registry.transaction() as session:
        (await services.one(session, acme.id, domain_id)).checks = 200
    assert (await registry.look(domain_id)).next_check_at is None
    await registry.pass_time(domain_id, timedelta(minutes=1))
    async with registry.transaction() as session:
        await registry.inspector.ask(session, acme.id, domain_id)
    assert (await registry.now(domain_id)).next_check_at is not None


async def test_what_is_due_is_given_once(registry: Registry) -> None:
    """To whoever asks first; a look that got lost comes back after its lease."""
    domain_id = await registry.claim(registry.site.world.acme, fresh())
    await registry.pass_time(domain_id, services.FIRST_CHECK_AFTER)
    async with registry.transaction() as session:
        assert domain_id in await checking.due(session)
    async with registry.transaction() as session:
        assert domain_id not in await checking.due(session)
    await registry.pass_time(domain_id, checking.LEASE)
    async with registry.transaction() as session:
        assert domain_id in await checking.due(session)


async def test_an_impatient_owner_is_shown_what_was_found_a_moment_ago(
    registry: Registry, dns: NameServer
) -> None:
    """A hundred clicks are not a hundred questions."""
    acme = registry.site.world.acme
    domain_id = await registry.claim(acme, fresh())
    for _ in range(3):
        async with registry.transaction() as session:
            await registry.inspector.ask(session, acme.id, domain_id)
    asked = [each for each in dns.asked if each[1] == "TXT"]
    assert len(asked) == 1


async def test_a_removed_name_is_served_in_no_process(registry: Registry) -> None:
    """Every directory that held it hears of it."""
    world = registry.site.world
    domain = await registry.proved(world.acme)
    signals = Signals(world.settings.redis_url)
    other = Catalogue(world.settings, world.databases, world.lines, ttl=3600)
    other.listen(signals)
    async with signals.listening():
        await asyncio.wait_for(signals.connected.wait(), 5)
        assert await other.by_host(domain.host) is not None
        assert await world.directory.by_host(domain.host) is not None
        async with registry.transaction() as session:
            await services.remove(session, world.signals, world.acme.id, domain.id)
        assert await world.directory.by_host(domain.host) is None
        async with asyncio.timeout(5):
            await _until_nobodys(other, domain.host)


async def _until_nobodys(directory: Catalogue, host: str) -> None:
    while True:
        if await directory.by_host(host) is None:
            return
        await asyncio.sleep(0.01)


async def test_rules_of_a_claim(registry: Registry) -> None:
    """Twice the same, ours, or preferred before it works: each is refused."""
    world, host = registry.site.world, fresh()
    domain_id = await registry.claim(world.acme, host)
    with pytest.raises(DomainTaken):
        await registry.claim(world.acme, host.upper())
    with pytest.raises(Invalid):
        await registry.claim(world.acme, "bravo.localhost")
    with pytest.raises(Conflict):
        async with registry.transaction() as session:
            await services.prefer(session, world.signals, world.acme.id, domain_id)
