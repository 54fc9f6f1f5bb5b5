"""Two databases with three tenants of the shop, and what processes need to know of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import text

from atrium.testing.servers import Postgres
from core.db import Databases
from core.plugin import Plugins
from core.scope import Database, Tenant
from tests.databases import TestDatabase
from tests.workers import shop
from workers.registry import Registry


class Directory:
    """Tenants known by heart; a test may change them."""

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        self.tenants = {each.id: each for each in tenants}

    async def by_id(self, tenant_id: UUID) -> Tenant | None:
        return self.tenants.get(tenant_id)

    async def by_host(self, host: str) -> Tenant | None:
        return None

    def url_of(self, tenant: Tenant, path: str = "/") -> str:
        return path

    async def active(self) -> Sequence[Tenant]:
        return [each for each in self.tenants.values() if each.status == "active"]

    def change(self, tenant: Tenant, **changes: object) -> None:
        self.tenants[tenant.id] = replace(tenant, **changes)  # type: ignore[arg-type]  # a test's


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a process of the tests needs; travels as JSON."""

    redis_url: str
    tenants: list[Tenant]
    relays: list[Database]

    def dump(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def load(cls, encoded: bytes) -> Plan:
        return msgspec.json.decode(encoded, type=cls)

    async def outboxes(self) -> Sequence[Database]:
        return self.relays

    @property
    def registry(self) -> Registry:
        return Registry.of(Plugins({"shop": shop.plugin}))


@dataclass(slots=True)
class Rig:
    """A plan with the means to look at what became of it."""

    plan: Plan
    directory: Directory
    databases: Databases
    administrators: list[asyncpg.Connection] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(cls, server: Postgres, redis_url: str) -> AsyncIterator[Rig]:
        main, second = await asyncio.gather(
            TestDatabase.create(server), TestDatabase.create(server)
        )
        enabled = frozenset({"shop"})
        tenants = [
            await main.add_tenant("anna", sql=shop.TABLES, plugins=enabled),
            await main.add_tenant("bert", sql=shop.TABLES, plugins=enabled),
            await second.add_tenant("dora", sql=shop.TABLES, plugins=enabled, dedicated=True),
        ]
        relays = [Database(each.name, each.relay_dsn) for each in (main, second)]
        plan = Plan(redis_url=redis_url, tenants=tenants, relays=relays)
        rig = cls(plan, Directory(tenants), Databases(pool_size=8))
        rig.administrators = [await asyncpg.connect(d.superuser_dsn) for d in (main, second)]
        yield rig
        for each in rig.administrators:
            await each.close()
        await rig.databases.dispose()
        for database in (main, second):
            await server.drop_database(database.name)

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """The rows of both databases."""
        return [row for each in self.administrators for row in await each.fetch(query, *args)]

    async def execute(self, statement: str, *args: object) -> None:
        """Run a statement in both databases."""
        for each in self.administrators:
            await each.execute(statement, *args)

    async def effects(self, tenant: Tenant) -> list[tuple[str, int]]:
        """What the tenant's jobs left behind."""
        async with self.databases.transaction(tenant) as session:
            rows = await session.execute(text("SELECT actor, number FROM effects"))
            return sorted((row.actor, row.number) for row in rows)

    async def message(self, actor: str) -> asyncpg.Record:
        """The newest message of an actor."""
        rows = await self.fetch("SELECT * FROM outbox.messages WHERE actor = $1", actor)
        return max(rows, key=lambda row: row["put_at"])

    async def empty(self) -> None:
        """Forget all messages and effects."""
        await self.execute("DELETE FROM outbox.messages")
        for tenant in self.plan.tenants:
            self.directory.tenants[tenant.id] = tenant
            async with self.databases.transaction(tenant) as session:
                await session.execute(text("DELETE FROM effects"))
                await session.execute(text("DELETE FROM asked"))
                await session.execute(text("DELETE FROM orders"))
                await session.execute(text("DELETE FROM schedule_runs"))


async def eventually(
    check: Callable[[], Awaitable[object]], *, within: float = 10.0, every: float = 0.05
) -> None:
    """Wait until ``check`` gives something true.

    Raises:
        TimeoutError: it did not in time.
    """
    async with asyncio.timeout(within):
        while not await check():  # noqa: ASYNC110  # other processes set no event of ours
            await asyncio.sleep(every)
