"""How much each tenant stores: asked of each database in one query, and kept for minutes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from core.outbox import OutboxDatabases, connect
from core.scope import Database

KEPT_FOR: Final = 300.0
"""Seconds; what people read of it hardly changes in between."""
PATIENCE: Final = 20.0
"""Seconds that one database may take to count."""

log = structlog.get_logger(__name__)

_AWAY: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

# pg_class is everybody's to read: the relay's login learns sizes here, and no row.
_SIZES: Final = """
SELECT substr(n.nspname, 3)::uuid AS tenant,
       sum(pg_total_relation_size(c.oid))::bigint AS bytes,
       sum(greatest(c.reltuples, 0))::bigint AS rows
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname ~ '^t_[0-9a-f]{32}$'
GROUP BY n.nspname
"""


@dataclass(frozen=True, slots=True)
class Size:
    """What a tenant's tables hold: ``bytes`` with their indexes, ``rows`` as last estimated."""

    bytes: int
    rows: int


@dataclass(slots=True)
class Sizes:
    """Of all tenants. A database that is away is left out until it is back."""

    databases: OutboxDatabases
    _known: dict[UUID, Size] = field(default_factory=dict)
    _until: float = 0.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def all(self) -> Mapping[UUID, Size]:
        """By tenant; a new one may be missing for ``KEPT_FOR`` seconds."""
        if time.monotonic() < self._until:
            return self._known
        async with self._turn:  # one request counts, the others wait for what it finds
            if time.monotonic() >= self._until:
                found = await asyncio.gather(*map(_ask, await self.databases.outboxes()))
                self._known = {tenant: size for each in found for tenant, size in each.items()}
                self._until = time.monotonic() + KEPT_FOR
        return self._known


async def _ask(database: Database) -> dict[UUID, Size]:
    try:
        async with asyncio.timeout(PATIENCE):
            connection = await connect(database)
            try:
                rows = await connection.fetch(_SIZES)
            finally:
                await connection.close()
    except _AWAY as problem:
        log.warning("sizes.database_away", database=database.name, error=type(problem).__name__)
        return {}
    return {row["tenant"]: Size(row["bytes"], row["rows"]) for row in rows}
