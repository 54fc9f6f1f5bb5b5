"""Engines and transactions: the only place where one begins or ends.

A session belongs to one tenant for life. When its transaction begins, ONE simple query opens
it together with the tenant's ``search_path`` and ``role``, both local to the transaction, so
that it is safe behind a transaction pooler and costs no extra round trip. A connection that
was given no scope begins with an empty search_path and a role without grants: PostgreSQL
refuses whatever is asked of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import Connection, MetaData, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry

from core import pooler
from core.admission import stepped_aside
from core.connections import Lifetime, ScopedConnection
from core.scope import Database, Tenant, acting_for

T = TypeVar("T")
Row = Mapping[str, Any]

POOL_TIMEOUT: Final = 5.0
"""Seconds to wait for a free connection."""


_SERVER_SETTINGS: Final = {
    "search_path": "",
    "application_name": "atrium",
    "idle_in_transaction_session_timeout": "30s",
}


class Base(DeclarativeBase):
    """Every mapped class; a table belongs to the line of migrations ``info["line"]``."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _give_scope(session: Session, _: SessionTransaction, connection: Connection) -> None:
    tenant: Tenant = session.info["tenant"]
    driver = connection.connection.driver_connection
    assert isinstance(driver, ScopedConnection)
    if driver.scope is not tenant.scope and driver.is_in_transaction():
        raise RuntimeError("a session was handed a connection with a transaction already open")
    driver.scope = tenant.scope


def _take_scope_back(lifetime: Lifetime, dbapi_connection: Any, entry: ConnectionPoolEntry) -> None:
    driver = dbapi_connection.driver_connection if dbapi_connection is not None else None
    if driver is None:
        return
    driver.scope = None
    if lifetime.is_over(driver):
        entry.invalidate(soft=True)


def _replace_backend(context: ExceptionContext) -> None:
    """Replace the connection of a backend that is going away, or that is forgetful: one that is
    refused a role which exists may have an outdated list of its roles, and would keep it (see
    ``tenants.scopes.spread_role``)."""
    problem = getattr(context.original_exception, "__cause__", None)
    if _is_refused_a_role(problem):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False
    elif isinstance(problem, _LEAVING):  # it has said so, but may not have hung up yet
        context.is_disconnect = True


_LEAVING: Final = (
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
)
_LOST_BY_THE_DRIVER: Final = (*_LEAVING, asyncpg.InvalidCachedStatementError)
UNREACHABLE: Final = (
    *_LEAVING,
    OSError,
    PoolTimeout,
    asyncpg.InterfaceError,
    asyncpg.TooManyConnectionsError,
)
"""What it raises to connect to a PostgreSQL that is away, stopping or starting."""


def is_away(error: BaseException) -> bool:
    """Whether PostgreSQL cannot be reached, as opposed to answering that we asked wrongly.

    What fails while connecting comes as the driver raised it, the rest wrapped by SQLAlchemy.
    """
    if isinstance(error, DBAPIError):
        return isinstance(error, OperationalError) or lost_its_transaction(error)
    return isinstance(error, UNREACHABLE)


def lost_its_transaction(error: BaseException) -> bool:
    """Whether a transaction was lost to its connection, or to a statement that was prepared for
    a table as it was before; the same may well succeed in another transaction."""
    if isinstance(error, _LOST_BY_THE_DRIVER) or _is_refused_a_role(error):
        return True
    if not isinstance(error, DBAPIError):
        return False
    stale = isinstance(getattr(error.orig, "__cause__", None), asyncpg.InvalidCachedStatementError)
    return stale or error.connection_invalidated


def _is_refused_a_role(problem: BaseException | None) -> bool:
    return isinstance(problem, asyncpg.InsufficientPrivilegeError) and "to set role" in str(problem)


class ScopedSession(Session):
    """The sync heart of every session; it hands its scope to the connection it is given."""


def _forget_waiting(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is None:  # a savepoint's end is not the transaction's
        session.info.pop("after_commit", None)


event.listen(ScopedSession, "after_begin", _give_scope)
event.listen(ScopedSession, "after_soft_rollback", _forget_waiting)


class Databases:
    """The engines of a process, one per database, made on first use inside its event loop."""

    def __init__(
        self,
        *,
        pool_size: int = 16,
        connect_timeout: float = 3.0,
        lifetime: Lifetime = Lifetime(),  # noqa: B008  # frozen
        statement_cache: bool = True,
    ) -> None:
        self._pool_size = pool_size
        self._statement_cache = statement_cache
        self._connect_timeout = connect_timeout
        self._lifetime, self._read_lifetime = lifetime, lifetime.of_reads
        self._engines: dict[str, AsyncEngine] = {}
        self._pools: dict[Database, asyncpg.Pool] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def engine(self, database: Database) -> AsyncEngine:
        """The engine of ``database``."""
        engine = self._engines.get(database.name)
        if engine is None:
            engine = self._engines[database.name] = self._create(database)
        return engine

    def _create(self, database: Database) -> AsyncEngine:
        engine = create_async_engine(
            make_url(database.dsn).set(drivername="postgresql+asyncpg"),
            pool_size=self._pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT,
            pool_recycle=int(self._lifetime.seconds),  # for those that lay idle meanwhile
            pool_use_lifo=True,  # few backends that know the tenants' tables, rather than many
            hide_parameters=True,  # an error's text goes to logs and dead letters
            connect_args=self._connect_arguments() | self._statements_of_a_session(),
        )
        event.listen(engine.sync_engine, "checkin", partial(_take_scope_back, self._lifetime))
        event.listen(engine.sync_engine, "handle_error", _replace_backend)
        return engine

    def _connect_arguments(self) -> dict[str, Any]:
        return {
            "connection_class": ScopedConnection,
            "timeout": self._connect_timeout,
            "command_timeout": 30,
            "server_settings": _SERVER_SETTINGS,
            **({} if self._statement_cache else {"statement_cache_size": 0}),
        }

    def _statements_of_a_session(self) -> dict[str, Any]:
        """SQLAlchemy's own cache of statements, or none, and then none with a name either."""
        if self._statement_cache:
            return {}
        return {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str}

    async def refuse_unsafe(self, database: Database) -> None:
        """Try what lies between us and ``database``.

        Raises:
            UnsafePooler: it would break what we rely on.
        """
        await pooler.refuse_unsafe(
            database, _SERVER_SETTINGS, statement_cache=self._statement_cache
        )

    async def fetch_row(self, tenant: Tenant, sql: str, values: Sequence[Any]) -> Row | None:
        """One row by the driver itself, in a transaction of ``tenant``: see ``core.reads``."""
        pool = await self._pool(tenant.scope.database)
        async with pool.acquire(timeout=POOL_TIMEOUT) as lent:
            connection: ScopedConnection = lent._con  # the pool's proxy knows no scope
            connection.scope = tenant.scope
            try:
                async with connection.transaction():
                    row: Row | None = await connection.fetchrow(sql, *values)
            except asyncpg.InsufficientPrivilegeError:
                await connection.close()  # the list of its roles may be outdated
                raise
            finally:
                connection.scope = None
            if self._read_lifetime.is_over(connection):
                await connection.close()
            return row

    @asynccontextmanager
    async def lent(self, database: Database, schema: str) -> AsyncIterator[asyncpg.Connection]:
        """A connection of the login that ``database`` names, in no scope: to make and alter
        ``schema``. It is kept for the next who asks: a backend that has made tables before makes
        them in half the time.

        Raises:
            TimeoutError: others have them all, and kept them for ``POOL_TIMEOUT``.
        """
        pool = await self._pool(database)
        async with pool.acquire(timeout=POOL_TIMEOUT) as lent:
            connection: ScopedConnection = lent._con
            connection.schemas_touched.add(schema)
            yield lent
            if self._lifetime.is_over(connection):
                await connection.close()

    async def _pool(self, database: Database) -> asyncpg.Pool:
        pool = self._pools.get(database)
        if pool is None:
            pool = self._pools[database] = asyncpg.create_pool(
                database.dsn.replace("+asyncpg", ""),
                min_size=0,
                max_size=max(2, self._pool_size // 4),
                **self._connect_arguments(),
            )
        await pool  # opened by the first to come, at once by all others
        return pool

    def session(self, tenant: Tenant) -> AsyncSession:
        """A session of ``tenant``: for the edges, which commit it; others use ``transaction``."""
        return AsyncSession(
            self.engine(tenant.scope.database),
            sync_session_class=ScopedSession,
            expire_on_commit=False,
            close_resets_only=False,
            info={"tenant": tenant, "databases": self},
        )

    @asynccontextmanager
    async def transaction(self, tenant: Tenant) -> AsyncIterator[AsyncSession]:
        """Act for ``tenant`` in one transaction: committed at the end, undone on any error."""
        with acting_for(tenant):
            async with self.session(tenant) as session:
                yield session
                await commit(session)

    @asynccontextmanager
    async def snapshot(self, tenant: Tenant) -> AsyncIterator[ScopedConnection]:
        """A connection of its own in a read-only transaction of ``tenant`` that sees one moment,
        for as long as it takes: to read much at once, by jobs alone. Times are read in UTC."""
        connection: ScopedConnection = await asyncpg.connect(
            tenant.scope.database.dsn.replace("+asyncpg", ""),
            **self._connect_arguments() | {"command_timeout": 600},
        )
        try:
            connection.scope = tenant.scope
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await connection.execute(
                    "SELECT set_config('idle_in_transaction_session_timeout', '10min', true),"
                    " set_config('timezone', 'UTC', true)"
                )
                yield connection
        finally:
            await connection.close(timeout=5)

    def leave(self, name: str | None) -> None:
        """Close the connections to the database of that name, soon, if there are any: its tenant
        is gone. None, which says that something may have been missed, closes nothing."""
        engine = self._engines.pop(name, None) if name else None
        if engine is not None:
            self._leave(engine.dispose())
        for database in [each for each in self._pools if each.name == name]:
            self._leave(self._pools.pop(database).close())

    def _leave(self, closing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(closing)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def dispose(self) -> None:
        """Close every connection."""
        for engine in self._engines.values():
            await engine.dispose()
        self._engines.clear()
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()


async def close(session: AsyncSession) -> None:
    """Close for good; what is left of a transaction is undone."""
    if session.in_transaction():
        await session.close()
    else:
        session.sync_session.close()  # holds no connection: nothing to wait for


async def commit(session: AsyncSession) -> None:
    """End the transaction and run what waited for its end: for edges and ``outside`` only."""
    if session.in_transaction():  # else there is nothing to end, and asking costs a detour
        await session.commit()
    waiting: list[Callable[[], Awaitable[None]]] = session.info.pop("after_commit", [])
    for call in waiting:
        await call()


def after_commit(session: AsyncSession, call: Callable[[], Awaitable[None]]) -> None:
    """Run ``call`` once this transaction has ended well; for cache invalidation and the like.

    It is lost if the process dies in between: whatever must happen goes through the outbox.
    """
    session.info.setdefault("after_commit", []).append(call)


async def outside(session: AsyncSession, call: Callable[[], Awaitable[T]]) -> T:
    """Make durable what was recorded so far, then run ``call`` with no transaction open.

    The one way to talk to the outside world or compute at length: read and record the intent,
    ``outside``, record the outcome. What follows runs in a new transaction of the same tenant.
    Rows read before are stale afterwards: lock and read again what the outcome depends on.
    """
    await commit(session)
    with stepped_aside():
        return await call()
