"""Attacks on every declared job, and a list of every command, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from uuid import UUID

import asyncpg
import click
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.cli import main
from core.jobs import Actor, put
from core.part import core
from core.plugin import Plugin, Plugins
from core.scope import Tenant, current
from tenants.lifecycle import disable_plugin, suspend
from tenants.part import tenancy
from tenants.portal.plugin import plugin as portal
from tests.world import World
from workers.registry import Registry
from workers.runtime import Runtime

COMMANDS = {
    "bootstrap": "an administrator's; tests/tenants/test_commands.py",
    "jobs dead": "the operator's; tests/atrium/test_dead_letters.py",
    "jobs discard": "likewise",
    "jobs retry": "likewise",
    "migrate": "every scope's, each by its own role; tests/tenants/test_migrate.py",
    "relay": "a process; tests/workers/test_relay.py",
    "scheduler": "a process; tests/workers/test_scheduler.py",
    "seed": "the demo's; tests/tenants/test_commands.py",
    "tenants clone": "the operator's, one tenant by its address; tests/tenants/archive",
    "tenants disable": "the operator's, one tenant by its address",
    "tenants enable": "likewise",
    "tenants export": "likewise; tests/tenants/archive",
    "tenants import": "likewise: makes a tenant of its own",
    "tenants list": "the operator's: the catalogue",
    "tenants maintenance": "the operator's, one tenant by its address",
    "tenants rename": "likewise",
    "tenants resume": "likewise, one tenant by its address",
    "tenants suspend": "likewise; tests/tenants/test_commands.py",
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


@dataclass(slots=True)
class Watched:
    """The runtime of a worker, whose jobs only note for whom they ran."""

    world: World
    runtime: Runtime
    actors: list[Actor]
    ran: list[tuple[str, UUID]] = field(default_factory=list)

    @classmethod
    def of(cls, world: World) -> Watched:
        """Every actor of every part, as a worker knows them."""
        ran: list[tuple[str, UUID]] = []

        def watched(part: Plugin) -> Plugin:
            actors = tuple(_noting(each, ran) for each in part.actors)
            return replace(part, actors=actors, schedules=(), listeners={})

        parts = (core, portal, tenancy(world.provisioner), *world.plugins)
        registry = Registry.of(
            Plugins({name: watched(each) for name, each in world.plugins.working.items()}),
            core=(watched(core),),
            platform=(watched(portal), watched(tenancy(world.provisioner))),
        )
        runtime = Runtime(databases=world.databases, directory=world.directory, registry=registry)
        return cls(world, runtime, [each for part in parts for each in part.actors], ran)

    async def put(self, actor: Actor, tenant: Tenant) -> UUID:
        """Ask for the job in the tenant's own transaction."""
        async with self.world.databases.transaction(tenant) as session:
            await put(session, actor.name, {})
        query = "SELECT id FROM outbox.messages WHERE actor = $1 ORDER BY put_at DESC LIMIT 1"
        found: UUID = (await self._ask(tenant, query, actor.name))["id"]
        return found

    async def is_untouched(self, message: UUID, tenant: Tenant) -> bool:
        """Whether nobody has begun the message."""
        query = "SELECT state, attempt FROM outbox.messages WHERE id = $1"
        row = await self._ask(tenant, query, message)
        return (row["state"], row["attempt"]) == ("pending", 0)

    async def _ask(self, tenant: Tenant, query: str, *args: object) -> asyncpg.Record:
        connection = await asyncpg.connect(self.world.superuser_dsn(tenant))
        try:
            return await connection.fetchrow(query, *args)
        finally:
            await connection.close()


def _noting(actor: Actor, ran: list[tuple[str, UUID]]) -> Actor:
    async def note(session: AsyncSession) -> None:
        role = await session.scalar(text("SELECT current_setting('role')"))
        assert role == current().scope.name
        ran.append((actor.name, current().id))

    return replace(actor, body=note)


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
