"""What a database needs before it can hold scopes: roles, schemas, extensions, the outbox.

Run once per database by its administrator (`atrium bootstrap`), and again after an upgrade:
every statement can be repeated. The roles belong to the whole server, the rest to one database.

- ``atrium_owner`` owns every schema and table, and cannot log in;
- ``atrium_provisioner`` logs in to make roles, schemas and tables, acting as the owner;
- ``atrium_app`` serves people; by itself it may read nothing, it only becomes a tenant's role;
- ``atrium_relay`` reads the outbox and nothing else;
- ``atrium_tenants`` is the group of all tenants' roles, and may hand messages to the outbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final

import asyncpg

from core.connections import EXTENSIONS_SCHEMA

OWNER = "atrium_owner"
PROVISIONER = "atrium_provisioner"
APP = "atrium_app"
RELAY = "atrium_relay"
TENANTS = "atrium_tenants"

ATTEMPTS = 20
_COLLISIONS = (
    asyncpg.DeadlockDetectedError,
    asyncpg.DuplicateObjectError,
    asyncpg.UniqueViolationError,
    asyncpg.InternalServerError,  # "tuple concurrently updated"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passwords:
    """The passwords of the roles that log in."""

    provisioner: str = field(repr=False)
    app: str = field(repr=False)
    relay: str = field(repr=False)


EMPTY_PATHS: Final = "".join(
    f"ALTER ROLE {role} SET search_path = '';" for role in (PROVISIONER, APP, RELAY)
)
"""Connections ask for it themselves; behind a pooler that ignores this it holds all the same."""

_ROLES = f"""
DO $$ BEGIN
  IF to_regrole('{OWNER}') IS NULL THEN CREATE ROLE {OWNER} NOLOGIN; END IF;
  IF to_regrole('{TENANTS}') IS NULL THEN CREATE ROLE {TENANTS} NOLOGIN; END IF;
  IF to_regrole('{PROVISIONER}') IS NULL THEN CREATE ROLE {PROVISIONER} NOLOGIN; END IF;
  IF to_regrole('{APP}') IS NULL THEN CREATE ROLE {APP} NOLOGIN; END IF;
  IF to_regrole('{RELAY}') IS NULL THEN CREATE ROLE {RELAY} NOLOGIN; END IF;
END $$;
ALTER ROLE {PROVISIONER} LOGIN CREATEROLE NOINHERIT;
ALTER ROLE {APP} LOGIN NOINHERIT;
ALTER ROLE {RELAY} LOGIN NOINHERIT;
{EMPTY_PATHS}
GRANT {OWNER} TO {PROVISIONER};
GRANT {TENANTS} TO {PROVISIONER} WITH ADMIN OPTION;
"""

_SCHEMAS = f"""
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON DATABASE {{database}} FROM PUBLIC;
GRANT CONNECT ON DATABASE {{database}} TO {APP}, {RELAY};
GRANT CONNECT ON DATABASE {{database}} TO {PROVISIONER} WITH GRANT OPTION;
GRANT CREATE ON DATABASE {{database}} TO {OWNER};
CREATE SCHEMA IF NOT EXISTS {EXTENSIONS_SCHEMA} AUTHORIZATION {OWNER};
GRANT USAGE ON SCHEMA {EXTENSIONS_SCHEMA} TO {TENANTS};
CREATE SCHEMA IF NOT EXISTS outbox AUTHORIZATION {OWNER};
GRANT USAGE ON SCHEMA outbox TO {TENANTS}, {RELAY};
CREATE SCHEMA IF NOT EXISTS migrations AUTHORIZATION {OWNER};
CREATE TABLE IF NOT EXISTS migrations.applied (
  scope text NOT NULL,
  line text NOT NULL,
  revision text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (scope, line)
);
ALTER TABLE migrations.applied OWNER TO {OWNER};
"""


async def bootstrap(
    superuser_dsn: str,
    passwords: Passwords,
    *,
    extensions: Iterable[str] = (),
    serves_pooled: bool = True,
) -> None:
    """Prepare the database that ``superuser_dsn`` names.

    ``extensions`` are those that core and the plugins declare. A database made for one tenant
    (``serves_pooled`` false) does not let the shared application role connect.
    """
    # Roles are the server's, and no advisory lock reaches beyond one database: whoever
    # collides with another database's bootstrap tries again.
    connection = await asyncpg.connect(superuser_dsn)
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await _bootstrap(connection, passwords, extensions, serves_pooled)
            except _COLLISIONS:
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(0.05 * attempt)
            else:
                return
    finally:
        await connection.close()


async def _bootstrap(
    connection: asyncpg.Connection,
    passwords: Passwords,
    extensions: Iterable[str],
    serves_pooled: bool,
) -> None:
    async with connection.transaction():
        await connection.execute(_ROLES)
        await _set_passwords(connection, passwords)
        database = await connection.fetchval("SELECT quote_ident(current_database())")
        await connection.execute(_SCHEMAS.format(database=database))
        if not serves_pooled:
            await connection.execute(f"REVOKE CONNECT ON DATABASE {database} FROM {APP}")
        for extension in sorted(set(extensions)):
            quoted = await connection.fetchval("SELECT quote_ident($1)", extension)
            await connection.execute(
                f"CREATE EXTENSION IF NOT EXISTS {quoted} WITH SCHEMA {EXTENSIONS_SCHEMA}"
            )
        outbox = await asyncio.to_thread(files("core").joinpath("outbox.sql").read_text)
        await connection.execute(f"SET LOCAL ROLE {OWNER}; {outbox}; RESET ROLE")


async def _set_passwords(connection: asyncpg.Connection, passwords: Passwords) -> None:
    for role, password in (
        (PROVISIONER, passwords.provisioner),
        (APP, passwords.app),
        (RELAY, passwords.relay),
    ):
        literal = await connection.fetchval("SELECT quote_literal($1::text)", password)
        await connection.execute(f"ALTER ROLE {role} PASSWORD {literal}")
