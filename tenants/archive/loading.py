"""Fill a tenant with what an archive holds, in one transaction of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.crypto import ready, seal
from tenants.archive.manifest import TablePart
from tenants.archive.reading import Archive
from tenants.archive.sealing import ArchiveKey
from tenants.archive.tables import is_sealed_at_home, quoted


async def load(session: AsyncSession, archive: Archive, key: ArchiveKey) -> bool:
    """Write every row of the archive into the session's tenant, whose tables are at the
    archive's own revisions; False if it was filled before.

    Foreign keys hold at the end of each statement, so tables come in the order in which they
    were written: each after those that it refers to.
    """
    await ready(session)
    await session.execute(text("SELECT 1"))  # the driver begins with SQLAlchemy's first statement
    raw = await (await session.connection()).get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    for table in archive.manifest.tables:
        if table.count and await driver.fetchval(
            f"SELECT EXISTS (SELECT FROM {quoted(table.name)})"  # noqa: S608  # quoted
        ):
            return False
    for table in archive.manifest.tables:
        statement = _statement(table)
        batches = archive.batches(table)
        while batch := await asyncio.to_thread(next, batches, None):
            await driver.execute(statement, batch, *_resealed(table, batch, key), timeout=120)
    return True


def _statement(table: TablePart) -> str:
    plain = [each for each in table.columns if each not in table.sealed]
    sealed = [f"s{at}" for at in range(len(table.sealed))]
    kinds = ["bytea" if is_sealed_at_home(table.name, each) else "text" for each in table.sealed]
    arrays = ["$1::json[]", *(f"${at}::{kind}[]" for at, kind in enumerate(kinds, start=2))]
    taken = [*(f"r.{quoted(each)}" for each in plain), *(f"given.{each}" for each in sealed)]
    into = ", ".join(map(quoted, [*plain, *table.sealed]))
    return (
        f"INSERT INTO {quoted(table.name)} ({into}) SELECT {', '.join(taken)}"  # noqa: S608
        f" FROM unnest({', '.join(arrays)}) AS given({', '.join(['line', *sealed])}),"
        f" json_populate_record(NULL::{quoted(table.name)}, given.line) AS r"
    )


def _resealed(
    table: TablePart, batch: Sequence[str], key: ArchiveKey
) -> list[list[bytes | str | None]]:
    """The sealed columns of ``batch``, each as the tenant keeps it: sealed by its own key."""
    if not table.sealed:
        return []
    rows: list[dict[str, Any]] = [json.loads(line) for line in batch]
    return [[_reseal(table, column, row[column], key) for row in rows] for column in table.sealed]


def _reseal(
    table: TablePart, column: str, sealed: str | None, key: ArchiveKey
) -> bytes | str | None:
    if sealed is None:
        return None
    plain = key.open(sealed, table.name, column)
    at_home = is_sealed_at_home(table.name, column)
    return seal(plain, f"{table.name}.{column}") if at_home else plain
