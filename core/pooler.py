"""What lies between us and PostgreSQL: nothing, or a pooler, which may be one that is unsafe.

A pooler cannot be asked how it is set, so it is tried. Two connections take transactions in turn;
where a connection finds another backend in its next transaction, it has kept nothing of a session:
no prepared statement (unless the pooler carries those along) and no LISTEN.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from secrets import token_hex
from typing import Final

import asyncpg
import structlog

from core.scope import Database

log = structlog.get_logger(__name__)

ROUNDS: Final = 3
_PATIENCE: Final = 10.0
"""Seconds after which the question is left open: whoever is this busy works."""


class UnsafePooler(RuntimeError):
    """What lies before PostgreSQL would break what we rely on; the message says how to mend it."""


async def refuse_unsafe(
    database: Database, server_settings: dict[str, str], *, statement_cache: bool
) -> None:
    """Try the way to ``database``. One that is away, or too busy, is not judged.

    Raises:
        UnsafePooler: naming the setting to change.
    """
    try:
        async with asyncio.timeout(_PATIENCE), AsyncExitStack() as stack:
            first, second = [await _connect(stack, database, server_settings) for _ in range(2)]
            statement = await _begin(first, second)
            await _check_path(first)
            if not await _keeps(first, second, statement) and statement_cache:
                raise UnsafePooler(
                    f"{database.name}: a pooler gives every transaction another backend, which"
                    " does not know the statements prepared before. Set"
                    " ATRIUM_STATEMENT_CACHE=false, or pool_mode = session in PgBouncer"
                    " (from 1.21 on also max_prepared_statements)"
                )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        log.warning("pooler.not_tried", database=database.name, error=type(problem).__name__)


async def refuse_deaf(database: Database) -> None:
    """Try whether a LISTEN would be heard: the relay's connections must keep their backend.

    Raises:
        UnsafePooler: they do not.
    """
    try:
        async with asyncio.timeout(_PATIENCE), AsyncExitStack() as stack:
            first, second = [await _connect(stack, database, {}) for _ in range(2)]
            await _begin(first, second)
            if len(await _backends(first, second)) > 1:
                raise UnsafePooler(
                    f"{database.name}: a pooler gives every transaction another backend, so that"
                    " LISTEN is not heard. ATRIUM_RELAY_URL must lead to PostgreSQL itself"
                )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        log.warning("pooler.not_tried", database=database.name, error=type(problem).__name__)


async def _connect(
    stack: AsyncExitStack, database: Database, server_settings: dict[str, str]
) -> asyncpg.Connection:
    try:
        connection = await asyncpg.connect(
            database.dsn.replace("+asyncpg", ""),
            timeout=5,
            statement_cache_size=0,
            server_settings=server_settings,
        )
    except asyncpg.ProtocolViolationError as problem:
        if "startup parameter" not in str(problem):
            raise
        raise UnsafePooler(
            f"{database.name}: the pooler refuses what connections are opened with ({problem})."
            f" Set ignore_startup_parameters = {', '.join(server_settings)} in PgBouncer"
        ) from None
    stack.push_async_callback(_close, connection)
    return connection


async def _close(connection: asyncpg.Connection) -> None:
    connection.terminate()


async def _begin(
    first: asyncpg.Connection, second: asyncpg.Connection
) -> asyncpg.prepared_stmt.PreparedStatement:
    """A statement that ``first`` prepared, while ``second`` was in a transaction too."""
    try:
        async with first.transaction(), second.transaction():
            return await first.prepare("SELECT 1", name=f"atrium_{token_hex(8)}")
    except (asyncpg.PostgresConnectionError, asyncpg.FeatureNotSupportedError) as problem:
        if "transaction blocks" not in str(problem):
            raise
        raise UnsafePooler(
            "the pooler refuses transactions, without which no tenant's scope can be opened:"
            " set pool_mode = session or transaction in PgBouncer"
        ) from None


async def _check_path(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        path: str = await connection.fetchval("SELECT current_setting('search_path')")
    if path.strip('"'):
        raise UnsafePooler(
            f"connections begin with the search_path {path!r} instead of an empty one, since the"
            " pooler ignores what they ask for: run `atrium bootstrap` again, which sets it for"
            " our logins"
        )


@asynccontextmanager
async def _competing(first: asyncpg.Connection, second: asyncpg.Connection) -> AsyncIterator[None]:
    """A transaction of ``first`` beside one of ``second``, which ends after it: a pooler that
    lends what it got back last will give the backend of ``second`` to the next of ``first``."""
    mine, other = first.transaction(), second.transaction()
    await mine.start()
    await other.start()
    try:
        yield
    finally:
        await mine.rollback()
        await other.rollback()


async def _backends(first: asyncpg.Connection, second: asyncpg.Connection) -> set[int]:
    """The backends that ``first`` found in its transactions."""
    found = set()
    for _ in range(ROUNDS):
        async with _competing(first, second):
            found.add(await first.fetchval("SELECT pg_backend_pid()"))
    return found


async def _keeps(
    first: asyncpg.Connection,
    second: asyncpg.Connection,
    statement: asyncpg.prepared_stmt.PreparedStatement,
) -> bool:
    """Whether a statement prepared in one transaction is known in all later ones."""
    for _ in range(ROUNDS):
        try:
            async with _competing(first, second):
                await statement.fetchval()
        except asyncpg.InvalidSQLStatementNameError:
            return False
    return True
