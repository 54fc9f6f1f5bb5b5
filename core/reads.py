"""Hot reads: one row of plain columns, for the price of three round trips and little else.

An ORM session costs more than what it asks PostgreSQL here. A ``Read`` is a Core select that is
compiled once; it is fetched by the driver itself, in a transaction of its own that opens the
tenant's scope like any other. Within a transaction that has begun it is asked there instead, so
that a request sees what it wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, Select
from sqlalchemy.dialects.postgresql import asyncpg as dialects
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Databases

_DIALECT = dialects.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own


class Read:
    """``Read(select(table.c.id, …).where(table.c.id == bindparam("wanted")))``.

    Raises:
        ValueError: a column needs SQLAlchemy to read it (encrypted or JSON): use the session.
    """

    def __init__(self, statement: Select[Any]) -> None:
        for column in statement.selected_columns:
            processor = column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
            if processor is not None or isinstance(column.type, JSON):
                raise ValueError(f"{column} is not a plain column: a Read cannot fetch it")
        compiled = statement.compile(dialect=_DIALECT)
        self._statement = statement
        self._sql = str(compiled)
        self._order = tuple(compiled.positiontup or ())

    async def one_or_none(self, session: AsyncSession, **given: Any) -> Mapping[str, Any] | None:
        """The one row for the given parameters, by column name; None if there is none."""
        if session.in_transaction():
            found = await session.execute(self._statement, given)
            row: Mapping[str, Any] | None = found.mappings().one_or_none()
            return row
        databases: Databases = session.info["databases"]
        values = [given[name] for name in self._order]
        return await databases.fetch_row(session.info["tenant"], self._sql, values)
