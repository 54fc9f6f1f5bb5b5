"""Marks in every place that a tenant leaves something, and a search for them everywhere."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg
from redis.asyncio import Redis
from sqlalchemy.engine import make_url

from atrium.testing.world import World
from core.auth.allowances import PER_ACCOUNT
from core.ids import new_id
from core.scope import Tenant, acting_for
from core.storage.disk import DiskStore
from core.throttle import Throttle
from tenants.archive.tables import quoted
from tenants.files import archives_of

_MARK = re.compile(r"mk[0-9a-f]{20}|6d6b(?:3[0-9]|6[1-6]){20}")
_COLUMNS = """
SELECT c.relname AS "table", a.attname AS "column", t.typname AS "type"
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p') AND a.attnum > 0
  AND NOT a.attisdropped AND t.typname IN ('text', 'varchar', 'jsonb', 'bytea', '_text')
ORDER BY c.relname, a.attnum
"""


def database_of(tenant: Tenant) -> str:
    """The name of the database that a tenant lives in."""
    return make_url(tenant.scope.database.dsn).database or ""


@dataclass(slots=True)
class Marks:
    """What was planted where: the mark, and the place in words."""

    world: World
    tenant: Tenant
    planted: dict[str, str] = field(default_factory=dict)

    def new(self, place: str) -> str:
        """A word that occurs nowhere else."""
        mark = f"mk{secrets.token_hex(10)}"
        self.planted[mark] = place
        return mark

    async def plant(self) -> None:
        """Everywhere."""
        await self.in_tables(self.tenant.scope.name)
        await self.in_the_catalogue()
        await self.in_the_outbox()
        await self.in_redis()
        await asyncio.to_thread(self.in_files)

    async def in_tables(self, schema: str) -> None:
        """In each column of each table that takes a word, in one row that there is."""
        async with _connected(self.world.postgres.dsn(database_of(self.tenant))) as connection:
            # As an administrator would: no foreign key stands in the way.
            await connection.execute("SET session_replication_role = replica")
            for row in await connection.fetch(_COLUMNS, schema):
                table = f"{schema}.{quoted(row['table'])}"
                await self._in_column(connection, table, row["column"], row["type"])

    async def _in_column(
        self, connection: asyncpg.Connection, table: str, column: str, kind: str
    ) -> None:
        mark = self.new(f"{table}.{column}")
        value = {
            "jsonb": f"'{json.dumps({'mark': mark})}'::jsonb",
            "bytea": f"convert_to('{mark}', 'UTF8')",
            "_text": f"ARRAY['{mark}']",
        }.get(kind, f"'{mark}'")
        try:
            async with connection.transaction():
                done = await connection.execute(
                    f"UPDATE {table} SET {quoted(column)} = {value}"
                    f" WHERE ctid = (SELECT ctid FROM {table} LIMIT 1)"
                )
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.GeneratedAlwaysError):
            done = ""  # one of a few words, or made of other columns: such take no mark
        if done != "UPDATE 1":
            del self.planted[mark]

    async def in_the_catalogue(self) -> None:
        """In what the platform knows of it: its record, hosts, wishes, log, letters, drafts."""
        world, tenant_id = self.world, self.tenant.id
        async with _connected(world.superuser_dsn(world.platform)) as connection:
            for statement in (
                "UPDATE platform.tenants SET name = $1 WHERE id = $2",
                "UPDATE platform.tenants SET suspended_reason = $1 WHERE id = $2",
                "UPDATE platform.tenants SET country = $1 WHERE id = $2",
                "INSERT INTO platform.tenant_hosts (id, host, tenant_id, token, is_primary, checks,"
                " created_at) VALUES (gen_random_uuid(), $1, $2, '', false, 0, now())",
                "INSERT INTO platform.mail_senders (id, tenant_id, address, domain, token, checks,"
                " failures, created_at) VALUES (gen_random_uuid(), $2, $1, $1, '', 0, 0, now())",
                "INSERT INTO platform.mail_sender_keys (id, sender_id, selector, public, private,"
                " state, created_at) SELECT gen_random_uuid(), id, $1, '', '', 'current', now()"
                " FROM platform.mail_senders WHERE tenant_id = $2",
                "INSERT INTO platform.migration_status (tenant_id, line, target, state, error,"
                " changed_at) VALUES ($2, 'x', 'x', 'failed', $1, now())"
                " ON CONFLICT (tenant_id, line) DO UPDATE SET error = excluded.error",
                "INSERT INTO platform.dedicated_requests (id, tenant_id, account_id, note, state,"
                " created_at) VALUES (gen_random_uuid(), $2, gen_random_uuid(), $1, 'open', now())",
                "INSERT INTO platform.sign_up_drafts (token_hash, data, tenant_id, created_at,"
                " changed_at) VALUES (convert_to($1, 'UTF8'), '{}', $2, now(), now())",
                "INSERT INTO platform.archive_uploads (id, account_id, locale, state, name, size,"
                " checked, total, tenant_id, created_at, expires_at) VALUES (gen_random_uuid(),"
                " gen_random_uuid(), 'en', 'ordered', $1, 0, 0, 0, $2, now(), now())",
                "INSERT INTO platform.exports (id, tenant_id, locale, state, salt, error,"
                " tables_done, tables_total, rows, created_at) VALUES (gen_random_uuid(), $2, 'en',"
                " 'failed', '', $1, 0, 0, 0, now())",
                "INSERT INTO platform.audit_entries (id, actor_kind, actor_name, action,"
                " subject_type, subject_id, detail) VALUES (gen_random_uuid(), 'system', 'x',"
                " 'a.b', 'tenant', $2::uuid::text, jsonb_build_object('said', $1::text))",
                "INSERT INTO platform.provisioning_runs (id, tenant_id, state, source, created_at)"
                " VALUES (gen_random_uuid(), $2, 'failed', jsonb_build_object('a', $1::text),"
                " now())",
            ):
                await connection.execute(statement, self.new(statement[:60]), tenant_id)
            await connection.execute(
                "INSERT INTO platform.mails (id, key, template, recipient, locale, subject, text,"
                " state, attempts) SELECT gen_random_uuid(), $2, $1, '', 'en',"
                " convert_to($1, 'UTF8'), '', 'caught', 0",
                self.new("a letter to its owner"),
                f"tenant:{tenant_id}:closed:{new_id()}",
            )
            await connection.execute(
                "INSERT INTO platform.provisioning_steps (run_id, position, name, state, attempts)"
                " SELECT id, 99, $1, 'waiting', 0 FROM platform.provisioning_runs"
                " WHERE tenant_id = $2 LIMIT 1",
                self.new("a step"),
                tenant_id,
            )

    async def in_the_outbox(self) -> None:
        """In messages that wait, that were given up, and that are remembered."""
        async with _connected(self.world.postgres.dsn(database_of(self.tenant))) as connection:
            for state in ("pending", "dead", "done"):
                await connection.execute(
                    "INSERT INTO outbox.messages (id, tenant, actor, args, key, state, due_at,"
                    " send_at, error) VALUES ($1, $2, 'car_hire.x', $3, $4, $5, 'infinity',"
                    " 'infinity', $6)",
                    new_id(),
                    self.tenant.id,
                    json.dumps({"mark": self.new(f"arguments of a job that is {state}")}),
                    self.new(f"key of a job that is {state}"),
                    state,
                    self.new(f"error of a job that is {state}"),
                )

    async def in_redis(self) -> None:
        """In every kind of key: all bear the tenant's id."""
        async with Redis.from_url(self.world.settings.redis_url) as redis:
            with acting_for(self.tenant):
                await Throttle(redis).take(PER_ACCOUNT, "somebody@example.com")
            for key in (f"cache:{self.tenant.id}:page", f"share:{self.tenant.id.hex}"):
                await redis.set(key, self.new(f"Redis {key}"))
            await redis.hset(f"h:{self.tenant.id}", "f", self.new("a hash in Redis"))  # type: ignore[misc]
            await redis.rpush(f"l:{self.tenant.id}", self.new("a list in Redis"))  # type: ignore[misc]
            await redis.zadd(f"z:{self.tenant.id}", {self.new("a sorted set in Redis"): 1})

    def in_files(self) -> None:
        """In files of the tenant's, by name and by content, and in an archive."""
        settings = self.world.settings
        folder = (
            DiskStore(settings.files_dir).folder(self.tenant.id)
            / "deep"
            / self.new("a folder's name")
        )
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text(self.new("a file"))
        (folder / self.new("a file's name")).write_text("x")
        archives_of(settings, self.tenant.id).mkdir(parents=True, exist_ok=True)
        (archives_of(settings, self.tenant.id) / "x.zip").write_text(self.new("an archive"))


async def found(world: World, marks: Marks, databases: list[str]) -> dict[str, str]:
    """The marks that are anywhere: in any table of any schema, Redis, any file; with where."""
    everything: list[tuple[str, str]] = []
    for database in databases:
        everything += [row async for row in _dump(world.postgres.dsn(database))]
    everything += [row async for row in _redis(world.settings.redis_url)]
    everything += await asyncio.to_thread(_files, world.settings.files_dir)
    return {
        marks.planted[mark]: where
        for where, text in everything
        for mark in _read(text)
        if mark in marks.planted
    }


def _read(text: str) -> Iterator[str]:
    """The marks in ``text``, as they are or as PostgreSQL writes bytes."""
    for each in _MARK.finditer(text):
        mark = each[0]
        yield mark if mark.startswith("mk") else bytes.fromhex(mark).decode()


async def _dump(dsn: str) -> AsyncIterator[tuple[str, str]]:
    """Every row of a database as text, system schemas aside."""
    async with _connected(dsn) as connection:
        tables = await connection.fetch(
            "SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n"
            " ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm')"
            " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        )
        for table in tables:
            for row in await connection.fetch(f"SELECT t::text AS row FROM {table['name']} t"):
                yield table["name"], row["row"]


async def _redis(url: str) -> AsyncIterator[tuple[str, str]]:
    async with Redis.from_url(url) as redis:
        async for key in redis.scan_iter("*"):
            dumped = await redis.dump(key)
            yield f"Redis {key!r}", f"{key!r} {dumped!r}"


def _files(folder: Path) -> list[tuple[str, str]]:
    return [
        (str(path), f"{path} " + (path.read_bytes().decode("latin-1") if path.is_file() else ""))
        for path in folder.rglob("*")
    ]


async def remains(world: World, tenant_id: UUID, database: str) -> list[str]:
    """Roles, schemas, grants and records of migrations that name the tenant."""
    async with _connected(world.postgres.dsn(database)) as connection:
        rows = await connection.fetch(
            """
            SELECT 'role ' || rolname AS what FROM pg_roles WHERE rolname LIKE $1
            UNION ALL SELECT 'schema ' || nspname FROM pg_namespace
              WHERE nspname LIKE $1 OR nspacl::text LIKE $1
            UNION ALL SELECT 'grant on ' || oid::regclass::text FROM pg_class
              WHERE relacl::text LIKE $1
            UNION ALL SELECT 'grant on ' || datname FROM pg_database WHERE datacl::text LIKE $1
            UNION ALL SELECT 'default grant' FROM pg_default_acl WHERE defaclacl::text LIKE $1
              OR defaclnamespace NOT IN (SELECT oid FROM pg_namespace)
            UNION ALL SELECT 'migrations' FROM migrations.applied WHERE scope LIKE $1
            UNION ALL SELECT 'message' FROM outbox.messages WHERE tenant::text = $2
            """,
            f"%{tenant_id.hex}%",
            str(tenant_id),
        )
    async with Redis.from_url(world.settings.redis_url) as redis:
        keys = [f"Redis {key!r}" async for key in redis.scan_iter(f"*{tenant_id}*")]
        keys += [f"Redis {key!r}" async for key in redis.scan_iter(f"*{tenant_id.hex}*")]
    return [row["what"] for row in rows] + keys


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()
