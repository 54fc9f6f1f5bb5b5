"""Jobs that were given up: seen, retried and discarded by an operator, in every database."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from core.outbox import DeadLetter, Outbox, OutboxDatabases, connect
from core.scope import Database


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Those of all the databases. What a letter says is not shown: it is the tenant's."""

    databases: OutboxDatabases

    async def latest(
        self, *, tenant: UUID | None = None, actor: str = "", limit: int = 100
    ) -> list[DeadLetter]:
        """The latest ``limit``, newest first; of one tenant or actor if it is named."""
        found: list[DeadLetter] = []
        for database in await self.databases.outboxes():
            async with _outbox(database) as outbox:
                rows = await outbox.dead(tenant, actor, limit)
                found += [DeadLetter(database.name, *row) for row in rows]
        return sorted(found, key=lambda letter: letter.died_at, reverse=True)[:limit]

    async def by_actor(self) -> Mapping[str, int]:
        """How many there are of each actor."""
        found: Counter[str] = Counter()
        for database in await self.databases.outboxes():
            async with _outbox(database) as outbox:
                found.update(await outbox.count_dead())
        return found

    async def retry_all(self, *, tenant: UUID | None = None, actor: str = "") -> int:
        """Try every such job again, with all its attempts; how many there were."""
        count = 0
        for database in await self.databases.outboxes():
            async with _outbox(database) as outbox:
                count += await outbox.retry_all(tenant, actor)
        return count

    async def discard_all(self, *, tenant: UUID | None = None, actor: str = "") -> int:
        """Never do any such job, and forget its arguments; how many there were."""
        count = 0
        for database in await self.databases.outboxes():
            async with _outbox(database) as outbox:
                count += await outbox.discard_all(tenant, actor)
        return count

    async def retry(self, message: UUID) -> bool:
        """Try the job again, with all its attempts; False if no dead letter has that id."""
        for database in await self.databases.outboxes():
            async with _outbox(database) as outbox:
                if await outbox.retry(message):
                    return True
        return False

    async def discard(self, message: UUID) -> bool:
        """Never do the job, and forget its arguments; False if no message waits with that id."""
        for database in await self.databases.outboxes():
            async with _outbox(database) as outbox:
                if await outbox.discard([message]):
                    return True
        return False


@asynccontextmanager
async def _outbox(database: Database) -> AsyncIterator[Outbox]:
    connection = await connect(database)
    try:
        yield Outbox(connection)
    finally:
        await connection.close()
