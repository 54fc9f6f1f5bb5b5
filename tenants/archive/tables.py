"""Which tables a tenant has to give, read from the models: a new plugin's are among them.

A table or column says ``info={"carried": False}`` when it means nothing elsewhere (keys, sessions,
marks), and a column ``info={"stays": True}`` when its secret belongs to this tenant alone and is
not for a copy.
A column with ``info={"private": True}`` is sealed in archives though it is not at home.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from sqlalchemy import Column, String, Table

from core.crypto.types import Sealed
from core.db import Base

SELDOM_MAPPED: Final = frozenset({"schedule_runs"})
"""Tables without a model; this one remembers which turns were taken, which the next one sets."""
FORMER: Final = {"usage_limits": "core"}
"""Tables that there were once, with their lines: archives of then hold their rows, which are
loaded before their revisions drop them. Private columns they had none."""


class UnknownTable(RuntimeError):
    """A table of the schema that no model describes: an archive without it would not be whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A table that goes into archives."""

    name: str
    line: str
    columns: tuple[str, ...]
    texts: frozenset[str]
    sealed: tuple[str, ...]
    stays: frozenset[str]
    nullable: frozenset[str]
    order: str
    """By which its rows come in the same order everywhere."""

    @property
    def plain(self) -> tuple[str, ...]:
        """The columns that PostgreSQL itself can show."""
        return tuple(each for each in self.columns if each not in self.sealed)


def carried(lines: Collection[str]) -> list[Carried]:
    """The tables of ``lines`` that go into archives, each after those that it refers to."""
    return [
        _carried(table)
        for table in Base.metadata.sorted_tables
        if table.info.get("line") in lines and table.info.get("carried", True)
    ]


def tables_of(line: str) -> list[str]:
    """Every table of a line, each after those that it refers to."""
    return [each.name for each in Base.metadata.sorted_tables if each.info.get("line") == line]


async def insist_on_all(connection: asyncpg.Connection) -> None:
    """Insist that every table of the present schema is known by a model.

    Raises:
        UnknownTable: naming those that are not.
    """
    found = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace = current_schema()::regnamespace"
    )
    known = {table.name for table in Base.metadata.tables.values()} | SELDOM_MAPPED
    if unknown := sorted({row["relname"] for row in found} - known):
        raise UnknownTable(f"no model describes {', '.join(unknown)}; is its plugin installed?")


def quoted(name: str) -> str:
    """An identifier as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def _carried(table: Table) -> Carried:
    kept = [
        each for each in table.columns if each.computed is None and each.info.get("carried", True)
    ]
    return Carried(
        name=str(table.name),
        line=table.info["line"],
        columns=tuple(str(each.name) for each in kept),
        texts=frozenset(each.name for each in kept if isinstance(each.type, String)),
        sealed=tuple(str(each.name) for each in kept if _is_sealed(each) or _is_private(each)),
        stays=frozenset(each.name for each in kept if each.info.get("stays")),
        nullable=frozenset(each.name for each in kept if each.nullable),
        order=", ".join(_ordered(each) for each in table.primary_key.columns),
    )


def is_sealed_at_home(table: str, column: str) -> bool:
    """Whether a tenant keeps the column sealed by its own key."""
    return _is_sealed(Base.metadata.tables[table].columns[column])


def _is_sealed(column: Column[Any]) -> bool:
    return isinstance(column.type, Sealed)


def _is_private(column: Column[Any]) -> bool:
    return bool(column.info.get("private"))


def _ordered(column: Column[object]) -> str:
    # Databases differ in how they collate texts, and archives must not.
    collation = ' COLLATE "C"' if isinstance(column.type, String) else ""
    return f"t.{quoted(column.name)}{collation}"
