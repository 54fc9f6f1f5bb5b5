"""Attacks on every declared job, and a list of every command, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from atrium.cli import main
from atrium.testing.watched import Watched
from atrium.testing.world import World
from core.jobs import Actor
from tenants.lifecycle import disable_plugin, suspend

COMMANDS = {
    "bootstrap": "an administrator's; tests/tenants/test_commands.py",
    "doctor": "every scope's, each by its own; tests/tenants/test_doctor.py",
    "flags clear": "the operator's, one tenant by its address; tests/tenants/operator",
    "flags list": "the operator's: what is declared, and how it stands",
    "flags roll-out": "the operator's: a share of all tenants",
    "flags set": "the operator's, one tenant by its address; tests/tenants/operator",
    "health": "the operator's: counts, and nothing of a tenant's; tests/tenants/operator",
    "jobs dead": "the operator's; tests/atrium/test_dead_letters.py",
    "jobs discard": "likewise",
    "jobs discard-all": "likewise",
    "jobs retry": "likewise",
    "jobs retry-all": "likewise",
    "migrate": "every scope's, each by its own role; tests/tenants/test_migrate.py",
    "plugins new": "writes files where it is told; tests/testing/test_scaffold.py",
    "operators add": "the operators' own, in tenant zero; tests/tenants/operator/test_access.py",
    "operators list": "likewise",
    "operators remove": "likewise",
    "operators revoke": "likewise",
    "operators token": "likewise",
    "operators tokens": "likewise",
    "proxy caddyfile": "prints a file; tests/atrium/test_proxy.py",
    "relay": "a process; tests/workers/test_relay.py",
    "scheduler": "a process; tests/workers/test_scheduler.py",
    "schedules": "the operator's: when turns come; tests/tenants/operator",
    "seed": "the demo's; tests/tenants/test_commands.py",
    "tenants clone": "the operator's, one tenant by its address; tests/tenants/archive",
    "tenants close": "likewise; tests/tenants/lifecycle",
    "tenants delete": "likewise",
    "tenants create": "the operator's: a new tenant; tests/tenants/operator",
    "tenants disable": "the operator's, one tenant by its address",
    "tenants enable": "likewise",
    "tenants export": "likewise; tests/tenants/archive",
    "tenants import": "likewise: makes a tenant of its own",
    "tenants find": "the operator's: the catalogue",
    "tenants limit": "the operator's, one tenant by its address; tests/tenants/operator",
    "tenants limits": "likewise",
    "tenants list": "the operator's: the catalogue",
    "tenants maintenance": "the operator's, one tenant by its address",
    "tenants note": "the operator's, one tenant by its address",
    "tenants rename": "likewise",
    "tenants reopen": "likewise",
    "tenants resume": "likewise, one tenant by its address",
    "tenants show": "the operator's, one tenant by its address",
    "tenants suspend": "likewise; tests/tenants/test_commands.py",
    "tenants unmute": "likewise",
    "tenants uninstall": "likewise; tests/tenants/lifecycle/test_removal.py",
    "terms list": "the operator's own, in tenant zero; tests/core/terms",
    "terms publish": "likewise",
    "terms show": "likewise",
    "up": "a process; tests/atrium/test_up.py",
    "web": "a process; tests/attack/test_faults.py",
    "worker": "a process; tests/workers/test_crashes.py",
}
"""Every command, and what stands for it: none acts for a tenant that it was not told."""


def commands(group: click.Command = main, above: str = "") -> Iterator[str]:
    """Every command's full name."""
    if not isinstance(group, click.Group):
        yield above.strip()
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield from commands(found, f"{above} {name}")


def test_every_command_is_known() -> None:
    """A new command must say here what keeps it to one tenant."""
    assert set(commands()) == set(COMMANDS)


@pytest.fixture
def watched(world: World) -> Watched:
    return Watched.of(world)


def is_theirs(actor: Actor, world: World) -> bool:
    """Whether a business may have the job run at all; else it is the platform's."""
    return actor.name.partition(".")[0] in {"core", *world.plugins.working}


async def test_every_job_runs_for_its_own_tenant_alone(watched: Watched) -> None:
    """A message of one tenant, delivered in another's name, does nothing; in its own, it runs."""
    world = watched.world
    for actor in watched.actors:
        if not is_theirs(actor, world):
            continue
        for owner, thief in [
            (world.acme, world.bravo),
            (world.acme, world.delta),
            (world.delta, world.acme),
            (world.acme, world.platform),
        ]:
            message = await watched.put(actor, owner)
            await watched.runtime.deliver(message, thief.id, actor.name, "")
            assert watched.ran == [], actor.name
            assert await watched.is_untouched(message, owner), actor.name
        await watched.runtime.deliver(message, owner.id, actor.name, "")
        assert watched.ran == [(actor.name, owner.id)]
        watched.ran.clear()


async def test_a_message_runs_as_no_other_job(watched: Watched) -> None:
    """The doorbell's word is not taken for which job it is."""
    tenant = watched.world.acme
    theirs = [each for each in watched.actors if is_theirs(each, watched.world)]
    for actor, other in zip(theirs, [*theirs[1:], theirs[0]], strict=True):
        message = await watched.put(actor, tenant)
        await watched.runtime.deliver(message, tenant.id, other.name, "")
        assert watched.ran == [], f"{actor.name} ran as {other.name}"
        assert await watched.is_untouched(message, tenant)


async def test_no_job_runs_for_a_suspended_tenant(watched: Watched) -> None:
    """It waits, whatever it is."""
    world = watched.world
    tenant = await world.provision()
    messages = [(each, await watched.put(each, tenant)) for each in watched.actors]
    async with world.databases.transaction(world.platform) as session:
        await suspend(session, world.signals, tenant.id)
    for actor, message in messages:
        await watched.runtime.deliver(message, tenant.id, actor.name, "")
        assert watched.ran == [], actor.name
        assert await watched.is_untouched(message, tenant), actor.name


async def test_no_job_runs_without_its_product(watched: Watched) -> None:
    """Of a product that was never chosen, or is off again, and of the platform, nothing runs."""
    world = watched.world
    without = await world.provision(plugins=())
    off = await world.provision()
    async with world.databases.transaction(world.platform) as session:
        for name in world.plugins.working:
            await disable_plugin(session, world.signals, off.id, name)
    for tenant in (without, off):
        for actor in watched.actors:
            message = await watched.put(actor, tenant)
            await watched.runtime.deliver(message, tenant.id, actor.name, "")
            if actor.name.startswith("core."):
                assert watched.ran == [(actor.name, tenant.id)]
                watched.ran.clear()
            else:
                assert watched.ran == [], actor.name
                assert await watched.is_untouched(message, tenant), actor.name


async def test_every_part_of_a_worker_is_attacked(world: World, watched: Watched) -> None:
    """The jobs here are all that a worker would run."""
    declared = {each.name for each in watched.actors}
    assert {"core", *world.plugins.working, "tenants"} <= {n.partition(".")[0] for n in declared}
    for name in declared:
        assert watched.runtime.registry.actor(name) is not None
