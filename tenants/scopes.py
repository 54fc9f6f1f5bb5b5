"""Making a scope: its role, its schema and what the role may do there.

All of it can be repeated. The statements go out as the provisioner; schemas and tables belong
to the owner, so that a tenant's role owns nothing and can alter nothing.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from core.connections import EXTENSIONS_SCHEMA
from tenants.bootstrap import APP, OWNER, TENANTS

LOCK_TIMEOUT: Final = "5s"

_NAME: Final = re.compile(r"platform|[tl]_[0-9a-f]{32}")
_ALREADY_MADE: Final = (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError)


@asynccontextmanager
async def connected(provisioner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the provisioner, which makes and alters scopes."""
    connection = await asyncpg.connect(
        provisioner_url.replace("+asyncpg", ""),
        timeout=10,
        server_settings={"search_path": "", "application_name": "atrium-provisioner"},
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


@asynccontextmanager
async def owning(
    connection: asyncpg.Connection, scope: str, lock_timeout: str = LOCK_TIMEOUT
) -> AsyncIterator[None]:
    """A transaction as the owner in the schema ``scope``, alone with it: others wait in line.

    Raises:
        asyncpg.LockNotAvailableError: somebody else has been at it for ``lock_timeout``.
    """
    async with connection.transaction():
        await connection.execute(
            f"SET LOCAL lock_timeout = '{lock_timeout}';"
            f"SELECT pg_advisory_xact_lock(hashtextextended('atrium.scope.{_checked(scope)}', 0));"
            f"SET LOCAL ROLE {OWNER};"
            f"SELECT set_config('search_path', '{scope}, {EXTENSIONS_SCHEMA}', true)"
        )
        yield


async def make_role(
    connection: asyncpg.Connection,
    scope: str,
    *,
    login: str | None = None,
    password: str | None = None,
) -> None:
    """The role of a scope, which the application may become, or else its own ``login``."""
    await _create_role(connection, _checked(scope), "NOLOGIN")
    member = APP
    if login is not None:
        member = _checked(login)
        await _create_role(connection, member, "NOLOGIN NOINHERIT")
        await _let_in(connection, member, password or "")
    await connection.execute(f"GRANT {TENANTS} TO {scope}; GRANT {scope} TO {member}")


async def spread_role(connection: asyncpg.Connection, scope: str) -> None:
    """Have every backend look up anew which roles the application may become.

    A backend that was just computing its list when the role was granted keeps the list without
    it until some role changes again (``roles_is_member_of`` in PostgreSQL's acl.c notices an
    invalidation only between two computations) and would refuse to enter the scope. Naming the
    role as it is already, some steps later, is such a change.
    """
    await connection.execute(f"ALTER ROLE {_checked(scope)} NOLOGIN")


async def make_schema(connection: asyncpg.Connection, scope: str) -> None:
    """The schema of a scope, in which its role may use whatever the owner will make there."""
    async with owning(connection, scope):
        granted = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {scope} GRANT"
        await connection.execute(
            f"CREATE SCHEMA IF NOT EXISTS {scope};"
            f"GRANT USAGE ON SCHEMA {scope} TO {scope};"
            f"{granted} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {scope};"
            f"{granted} USAGE, SELECT ON SEQUENCES TO {scope};"
        )


async def _create_role(connection: asyncpg.Connection, role: str, options: str) -> None:
    if await connection.fetchval("SELECT to_regrole($1) IS NULL", role):
        try:
            await connection.execute(f"CREATE ROLE {role} {options}")
        except _ALREADY_MADE:
            return  # by somebody who resumed the same run


async def _let_in(connection: asyncpg.Connection, login: str, password: str) -> None:
    literal = await connection.fetchval("SELECT quote_literal($1::text)", password)
    database = await connection.fetchval("SELECT quote_ident(current_database())")
    await connection.execute(
        f"ALTER ROLE {login} LOGIN PASSWORD {literal};"
        f"ALTER ROLE {login} SET search_path = '';"
        f"GRANT CONNECT ON DATABASE {database} TO {login}"
    )


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a scope's role")
    return name


async def drop_schema(connection: asyncpg.Connection, scope: str) -> None:
    """Remove a scope's schema with everything in it, and what is recorded of its migrations.

    Raises:
        asyncpg.LockNotAvailableError: somebody is still at it; try again.
    """
    async with owning(connection, scope):
        await connection.execute(f"DROP SCHEMA IF EXISTS {scope} CASCADE")
        recorded = await connection.fetch(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = 'migrations' AND column_name = 'scope'"
        )
        for row in recorded:
            table = row["table_name"]
            await connection.execute(
                f"DELETE FROM migrations.{table} WHERE scope = $1",  # noqa: S608  # a catalogue's
                scope,
            )


async def drop_role(
    connection: asyncpg.Connection, scope: str, *, login: str | None = None
) -> None:
    """Remove a scope's role, whose schema is gone, and the ``login`` of its own, if it has one."""
    for role in filter(None, (scope, login)):
        if await connection.fetchval("SELECT to_regrole($1) IS NULL", _checked(role)):
            continue
        if role == login:
            database = await connection.fetchval("SELECT quote_ident(current_database())")
            await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM {role}")
        await connection.execute(f"DROP ROLE IF EXISTS {role}")
