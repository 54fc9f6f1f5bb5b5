"""A plugin among tenants and people: what the checks at work are given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.checks.candidate import Candidate
from atrium.testing.site import Site
from atrium.testing.world import World
from core.auth.authority import LOCAL_COOKIE
from core.part import core
from core.permissions import Role
from core.plugin import Plugin
from core.scope import Tenant
from core.testing import Rows
from tenants.lifecycle import suspend
from workers.registry import Registry
from workers.runtime import Runtime

_AT_MOST: Final = 200
"""Jobs that one asking for another may lead to."""


@dataclass(frozen=True)
class Shop:
    """``core.testing.Business``: a tenant of ``site`` and its people."""

    site: Site
    tenant: Tenant

    def visitor(self) -> httpx.AsyncClient:
        """A browser in which nobody is signed in."""
        return self.site.visitor(self.tenant)

    async def person(self, role: Role = Role.STAFF) -> httpx.AsyncClient:
        """A browser in which somebody new in ``role`` is signed in."""
        return await self.site.person(self.tenant, role)

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A session in the tenant's scope."""
        return self.site.world.databases.transaction(self.tenant)

    @cached_property
    def runtime(self) -> Runtime:
        """What a worker has."""
        world = self.site.world
        registry = Registry.of(world.plugins, core=(core,))
        return Runtime(databases=world.databases, directory=world.directory, registry=registry)

    async def messages(self, condition: str = "true", *args: Any) -> list[asyncpg.Record]:
        """The tenant's messages in the outbox, in the order in which they were put."""
        query = f"SELECT * FROM outbox.messages WHERE tenant = $1 AND {condition} ORDER BY put_at"  # noqa: S608  # our own
        connection = await asyncpg.connect(self.site.world.superuser_dsn(self.tenant))
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query, self.tenant.id, *args)
            return rows
        finally:
            await connection.close()

    async def deliver(self, message: UUID, actor: str) -> str:
        """Ring for a message; its state afterwards."""
        await self.runtime.deliver(message, self.tenant.id, actor, "")
        (row,) = await self.messages("id = $2", message)
        return str(row["state"])

    async def work(self) -> list[str]:
        """Do what is due in the outbox, and what that leads to; the actors' names in turn.

        Raises:
            AssertionError: a job failed.
        """
        ran: list[str] = []
        while waiting := await self.messages("state = 'pending' AND due_at <= now()"):
            for row in waiting:
                ran.append(row["actor"])
                state = await self.deliver(row["id"], row["actor"])
                (after,) = await self.messages("id = $2", row["id"])
                assert state == "done", f"{row['actor']} is {state}: {after['error']}"
                assert len(ran) <= _AT_MOST, f"jobs without an end: {ran[-5:]}"
        return ran


@dataclass(frozen=True, kw_only=True)
class Trial:
    """``here`` has the plugin and its demo data; ``there`` has it in a database of its own;
    ``only`` has no other plugin, ``without`` has none, ``suspended`` may not be served."""

    candidate: Candidate
    world: World
    site: Site
    here: Tenant
    there: Tenant
    only: Tenant
    without: Tenant
    suspended: Tenant
    rows: Mapping[str, UUID]
    document: Mapping[str, Any]
    """The OpenAPI document of ``here``."""

    @property
    def plugin(self) -> Plugin:
        """Which plugin."""
        return self.candidate.plugin

    @property
    def shop(self) -> Shop:
        """``here``, at work."""
        return Shop(self.site, self.here)

    @asynccontextmanager
    async def stolen(self) -> AsyncIterator[httpx.AsyncClient]:
        """A visitor ``here`` with an owner's page and API sessions of ``there``."""
        user_id = await self.site.enrol(self.there, Role.OWNER)
        async with self.world.databases.transaction(self.there) as session:
            page = await self.site.sessions.begin(session, user_id)
            api = await self.site.sessions.begin(session, user_id, "api")
        async with self.site.visitor(self.here, authorization=f"Bearer {api}") as visitor:
            visitor.cookies.set(LOCAL_COOKIE, page)
            yield visitor


async def trial_of(candidate: Candidate, site: Site, rows: Rows | None) -> Trial:
    """The plugin among tenants of its own."""
    world, plugin = site.world, candidate.plugin
    here, suspended = [await world.provision() for _ in range(2)]
    databases = world.databases
    made: Mapping[str, UUID] = {}
    async with databases.transaction(here) as session:
        if plugin.demo is not None:
            await plugin.demo(session)
    if rows is not None:
        async with databases.transaction(here) as session:
            made = await rows(session)
    async with databases.transaction(world.platform) as session:
        await suspend(session, world.signals, suspended.id)
    async with site.visitor(here) as visitor:
        document = (await visitor.get("/api/v1/openapi.json")).json()
    return Trial(
        candidate=candidate,
        world=world,
        site=site,
        here=here,
        there=world.delta,
        only=await world.provision(plugins=(plugin.name,)),
        without=await world.provision(plugins=()),
        suspended=suspended,
        rows=made,
        document=document,
    )
