"""A tenant's schema, as PostgreSQL's catalogue describes it to the administrator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from atrium.testing.world import World
from core.scope import Tenant

_COLUMNS: Final = """
SELECT table_name, column_name, data_type, is_nullable, coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = :schema ORDER BY 1, 2"""
_INDEXES: Final = """
SELECT tablename, indexname, replace(indexdef, :schema || '.', '')
FROM pg_indexes WHERE schemaname = :schema ORDER BY 1, 2"""
_CONSTRAINTS: Final = """
SELECT r.relname, c.conname, c.contype::text, coalesce(t.relname, ''),
  replace(pg_get_constraintdef(c.oid), :schema || '.', '')
FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
LEFT JOIN pg_class t ON t.oid = c.confrelid
WHERE c.connamespace = CAST(:schema AS regnamespace) ORDER BY 1, 2"""


@dataclass(frozen=True, slots=True)
class Schema:
    """One tenant's schema, over a connection of its own."""

    connection: AsyncConnection
    name: str

    @classmethod
    @asynccontextmanager
    async def of(cls, world: World, tenant: Tenant) -> AsyncIterator[Schema]:
        """That of ``tenant``."""
        engine = create_async_engine(
            make_url(world.superuser_dsn(tenant)).set(drivername="postgresql+asyncpg"),
            poolclass=NullPool,
            connect_args={"server_settings": {"search_path": f"{tenant.scope.name}, extensions"}},
        )
        async with engine.connect() as connection:
            yield cls(connection, tenant.scope.name)
        await engine.dispose()

    async def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query about this ``:schema``."""
        return [tuple(row) for row in await self.connection.execute(text(query), self._named)]

    async def tables(self) -> set[str]:
        """The names of its tables."""
        return {row[0] for row in await self.ask(_COLUMNS)}

    async def columns(self) -> list[tuple[str, str, str]]:
        """Table, column and type."""
        return [(row[0], row[1], row[2]) for row in await self.ask(_COLUMNS)]

    async def keyed(self) -> set[str]:
        """The tables that have a primary key."""
        return {row[0] for row in await self.ask(_CONSTRAINTS) if row[2] == "p"}

    async def references(self) -> list[tuple[str, str]]:
        """Which table refers to which."""
        return [(row[0], row[3]) for row in await self.ask(_CONSTRAINTS) if row[2] == "f"]

    async def constraints(self, prefix: str) -> set[tuple[str, str]]:
        """Table and name of each CHECK and EXCLUDE of the tables with ``prefix``."""
        rows = await self.ask(_CONSTRAINTS)
        return {(row[0], row[1]) for row in rows if row[2] in "cx" and row[0].startswith(prefix)}

    async def described(self) -> Mapping[str, list[str]]:
        """Columns, indexes and constraints of each table, to be compared with another schema's."""
        found: dict[str, list[str]] = {}
        for query in (_COLUMNS, _INDEXES, _CONSTRAINTS):
            for table, *rest in await self.ask(query):
                found.setdefault(table, []).append(" ".join(map(str, rest)))
        return found

    async def counted(self) -> Mapping[str, int]:
        """How many rows each table has."""
        return {
            table: (await self.ask(f'SELECT count(*) FROM {self.name}."{table}"'))[0][0]  # noqa: S608  # its own names
            for table in sorted(await self.tables())
        }

    async def contents(self, tables: Iterable[str]) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of some tables, as text."""
        return {
            table: await self.ask(f'SELECT t::text FROM {self.name}."{table}" t ORDER BY 1')  # noqa: S608  # its own names
            for table in tables
        }

    async def compared(self, metadata: MetaData, tables: set[str]) -> list[Any]:
        """Alembic's differences between ``tables`` here and in ``metadata``."""

        def compare(connection: Connection) -> list[Any]:
            def is_meant(_: Any, name: str | None, kind: str, *__: Any) -> bool:
                return kind != "table" or name in tables

            context = MigrationContext.configure(
                connection,
                opts={
                    "compare_type": True,
                    "compare_server_default": True,
                    "include_object": is_meant,
                },
            )
            found: list[Any] = compare_metadata(context, metadata)
            return found

        return await self.connection.run_sync(compare)

    @property
    def _named(self) -> dict[str, str]:
        return {"schema": self.name}


def differences(one: Mapping[str, list[str]], other: Mapping[str, list[str]]) -> Iterator[str]:
    """What is in one description of a schema and not in the other."""
    for table in sorted(one.keys() | other.keys()):
        for line in sorted(set(one.get(table, ())) ^ set(other.get(table, ()))):
            yield f"{table}: {line}"
