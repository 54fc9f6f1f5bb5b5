"""A worker's runtime whose jobs only note for whom they ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.world import World
from core.auth.sessions import SessionCache, Sessions
from core.jobs import Actor, put
from core.part import core
from core.plugin import Plugin, Plugins
from core.scope import Tenant, current
from tenants.domains.checking import Inspector
from tenants.domains.part import domains
from tenants.domains.resolver import PublicDns
from tenants.entrances.part import entrances
from tenants.entrances.shutting import Entrances
from tenants.part import tenancy
from tenants.portal.plugin import plugin as portal
from tenants.senders.checking import SenderInspector
from tenants.senders.part import senders
from workers.registry import Registry
from workers.runtime import Runtime


@dataclass(slots=True)
class Watched:
    """The runtime, every actor that it knows, and which ran for whom."""

    world: World
    runtime: Runtime
    actors: list[Actor]
    ran: list[tuple[str, UUID]] = field(default_factory=list)

    @classmethod
    def of(cls, world: World) -> Self:
        """Every actor of every part, as a worker knows them; listeners, but no schedules."""
        ran: list[tuple[str, UUID]] = []
        inspector = Inspector(settings=world.settings, signals=world.signals, resolver=PublicDns())
        sender_inspector = SenderInspector(
            settings=world.settings, signals=world.signals, resolver=PublicDns()
        )
        ways = Entrances(
            databases=world.databases,
            directory=world.directory,
            sessions=Sessions(SessionCache(), lambda _tenant, _role: frozenset()),
        )
        platform = (
            portal,
            tenancy(world.provisioner),
            domains(inspector),
            senders(sender_inspector),
            entrances(ways),
        )
        parts = (core, *platform, *world.plugins)
        registry = Registry.of(
            Plugins({name: _noting(each, ran) for name, each in world.plugins.working.items()}),
            core=(_noting(core, ran),),
            platform=[_noting(each, ran) for each in platform],
        )
        runtime = Runtime(databases=world.databases, directory=world.directory, registry=registry)
        return cls(world, runtime, [each for part in parts for each in part.actors], ran)

    async def put(self, actor: Actor, tenant: Tenant) -> UUID:
        """Ask for the job in the tenant's own transaction; the message's id."""
        return await self.put_named(actor.name, tenant, {})

    async def put_named(self, actor: str, tenant: Tenant, args: Mapping[str, Any]) -> UUID:
        """Likewise, with arguments."""
        async with self.world.databases.transaction(tenant) as session:
            await put(session, actor, dict(args))
        query = "SELECT id FROM outbox.messages WHERE actor = $1 ORDER BY put_at DESC LIMIT 1"
        found: UUID = (await self._ask(tenant, query, actor))["id"]
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


def _noting(part: Plugin, ran: list[tuple[str, UUID]]) -> Plugin:
    noting = {each.name: _note(each, ran) for each in part.actors}
    listeners = {
        kind: tuple(noting[each.name] for each in actors) for kind, actors in part.listeners.items()
    }
    return replace(part, actors=tuple(noting.values()), schedules=(), listeners=listeners)


def _note(actor: Actor, ran: list[tuple[str, UUID]]) -> Actor:
    async def note(session: AsyncSession) -> None:
        role = await session.scalar(text("SELECT current_setting('role')"))
        assert role == current().scope.name
        ran.append((actor.name, current().id))

    return replace(actor, body=note)
