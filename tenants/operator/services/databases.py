"""The databases of the installation: whether they answer, how large they are, what waits there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.outbox import Outbox, OutboxDatabases, Waiting, connect
from core.scope import Database
from tenants.models import MAIN_DATABASE, DatabaseRecord, TenantRecord

PATIENCE: Final = 5.0
"""Seconds that a database may take to answer."""

_AWAY: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_FACTS: Final = """
SELECT current_setting('server_version') AS version,
       pg_database_size(current_database()) AS bytes,
       (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
       current_setting('max_connections')::integer AS most
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a database said of itself; ``connections`` are to it, ``most`` is the server's limit,
    ``seconds`` is how long it took, connecting included."""

    version: str
    bytes: int
    connections: int
    most: int
    seconds: float
    waiting: Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A database as it was found; ``answer`` None with the ``problem`` if it did not answer."""

    name: str
    answer: Answer | None = None
    problem: str = ""


async def look(databases: OutboxDatabases) -> Sequence[Looked]:
    """Ask every database, all at once."""
    return await asyncio.gather(*map(_ask, await databases.outboxes()))


async def _ask(database: Database) -> Looked:
    begun = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            connection = await connect(database)
            try:
                facts = await connection.fetchrow(_FACTS)
                waiting = await Outbox(connection).waiting()
            finally:
                await connection.close()
    except _AWAY as problem:
        return Looked(name=database.name, problem=type(problem).__name__)
    seconds = time.monotonic() - begun
    return Looked(name=database.name, answer=Answer(**facts, seconds=seconds, waiting=waiting))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A database as the catalogue has it; ``dedicated`` serves one tenant alone."""

    name: str
    host: str | None
    port: int | None
    dbname: str
    dedicated: bool
    tenants: int


async def listed(session: AsyncSession, main: str) -> Sequence[Listed]:
    """All of the catalogue, the main one (whose database is called ``main``) first."""
    counts = await _tenants(session)
    records = await session.scalars(select(DatabaseRecord).order_by(DatabaseRecord.name))
    first = Listed(
        name=MAIN_DATABASE,
        host=None,
        port=None,
        dbname=main,
        dedicated=False,
        tenants=counts.get(MAIN_DATABASE, 0),
    )
    return [first, *(_listed(record, counts) for record in records)]


def _listed(record: DatabaseRecord, counts: Mapping[str, int]) -> Listed:
    return Listed(
        name=record.name,
        host=record.host,
        port=record.port,
        dbname=record.dbname,
        dedicated=record.login is not None,
        tenants=counts.get(record.name, 0),
    )


async def _tenants(session: AsyncSession) -> Mapping[str, int]:
    name = func.coalesce(TenantRecord.database, MAIN_DATABASE).label("name")
    rows = await session.execute(select(name, func.count().label("tenants")).group_by(name))
    return {row.name: row.tenants for row in rows}
