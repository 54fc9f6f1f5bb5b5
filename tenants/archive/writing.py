"""Write an archive: streamed from one snapshot of the database, in constant memory."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Final

import asyncpg
import msgspec

from core import clock
from core.crypto import open_sealed
from core.scope import Tenant, acting_for
from core.storage.store import Missing, Store
from tenants.archive.manifest import FORMAT, NAME, About, Manifest, Part, TablePart
from tenants.archive.sealing import ArchiveKey
from tenants.archive.tables import Carried, quoted

BATCH: Final = 500
"""Rows that are in memory at a time."""
CHUNK: Final = 1 << 20
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Told = Callable[[int, int, int], Awaitable[None]]
"""Told how many tables are done, of how many, and how many rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What goes into an archive, ``plugins`` with those that are ``off``; of the tenant's files
    those below ``under``, if that is given. ``leave`` are secrets that stay where they are: a copy
    gets nothing in their place."""

    tenant: Tenant
    about: About
    tables: Sequence[Carried]
    store: Store
    under: str
    plugins: dict[str, str]
    off: tuple[str, ...]
    lines: dict[str, str]
    leave: bool = False


@dataclass(slots=True)
class _Sheet:
    """Rows as a spreadsheet opens them; kept aside, since a zip takes one file at a time."""

    stream: IO[bytes]
    texts: frozenset[str]
    _buffer: io.StringIO = field(default_factory=io.StringIO)

    def add(self, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
        writer = csv.writer(self._buffer)
        for row in rows:
            pairs = zip(columns, row, strict=True)
            writer.writerow([self._harmless(name, value) for name, value in pairs])
        self.stream.write(self._buffer.getvalue().encode())
        self._buffer.seek(0)
        self._buffer.truncate()

    def _harmless(self, column: str, value: str | None) -> str:
        """A text that a spreadsheet would take for a formula begins with an apostrophe."""
        if value is not None and column in self.texts and value.startswith(_FORMULA):
            return f"'{value}"
        return value or ""


async def write(
    connection: asyncpg.Connection, to: Path, contents: Contents, key: ArchiveKey, told: Told
) -> Manifest:
    """Write the archive ``to`` a file, which appears when it is whole.

    ``connection`` is in a transaction of the tenant's that reads one snapshot (see
    ``Databases.snapshot``); the tenant's data keys are at hand.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    unfinished = to.with_suffix(".part")
    unfinished.touch(mode=0o600)
    tables: list[TablePart] = []
    rows = 0
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in contents.tables:
            before = rows

            async def tell(count: int, before: int = before) -> None:
                await told(len(tables), len(contents.tables), before + count)

            written = await _write_table(connection, archive, table, contents, key, tell)
            tables.append(written)
            rows += written.count
            await told(len(tables), len(contents.tables), rows)
        files = await _write_files(archive, contents)
        manifest = Manifest(
            format=FORMAT,
            software=version("atrium"),
            made_at=clock.now().isoformat(),
            tenant=contents.about,
            plugins=contents.plugins,
            off=contents.off,
            lines=contents.lines,
            lock=key.lock,
            tables=tuple(tables),
            files=files,
        )
        archive.writestr(NAME, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    unfinished.replace(to)
    return manifest


async def _write_table(
    connection: asyncpg.Connection,
    archive: zipfile.ZipFile,
    table: Carried,
    contents: Contents,
    key: ArchiveKey,
    told: Callable[[int], Awaitable[None]],
) -> TablePart:
    count = 0
    with tempfile.TemporaryFile() as aside:
        sheet = _Sheet(aside, table.texts | set(table.sealed))
        aside.write((",".join(table.columns) + "\r\n").encode())
        path = f"data/{table.name}.jsonl"
        with _entry(archive, path) as entry:
            cursor = connection.cursor(_query(table), prefetch=BATCH)
            async for batch in _batches(cursor):
                await asyncio.to_thread(_put, entry, sheet, table, batch, contents, key)
                count += len(batch)
                await told(count)
        rows = entry.part
        aside.seek(0)
        with _entry(archive, f"sheets/{table.name}.csv") as copy:
            await asyncio.to_thread(_pour, aside, copy)
    return TablePart(
        name=table.name,
        line=table.line,
        count=count,
        columns=table.columns,
        sealed=table.sealed,
        rows=rows,
        sheet=copy.part,
    )


def _query(table: Carried) -> str:
    """A row as JSON without what is sealed; the sealed bytes; each plain column as text."""
    plain = [f"t.{quoted(each)}" for each in table.plain]
    sealed = [f"t.{quoted(each)}" for each in table.sealed]
    texts = [f"{each}::text" for each in plain]
    return (  # names are the models' own, and quoted
        f"SELECT {', '.join(['row_to_json(r)::text', *sealed, *texts])}"  # noqa: S608
        f" FROM {quoted(table.name)} t CROSS JOIN LATERAL (SELECT {', '.join(plain)}) r"
        f" ORDER BY {table.order}"
    )


async def _batches(cursor: Any) -> Any:
    batch: list[asyncpg.Record] = []
    async for record in cursor:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _put(
    entry: _Entry,
    sheet: _Sheet,
    table: Carried,
    batch: Sequence[asyncpg.Record],
    contents: Contents,
    key: ArchiveKey,
) -> None:
    lines: list[str] = []
    cells: list[list[str | None]] = []
    known = {name: at for at, name in enumerate(table.plain, start=1 + len(table.sealed))}
    with acting_for(contents.tenant):
        for record in batch:
            sealed = {
                name: _reseal(record[at], table, name, contents, key)
                for at, name in enumerate(table.sealed, start=1)
            }
            lines.append(_spliced(record[0], sealed))
            cells.append(
                [sealed[each] if each in sealed else record[known[each]] for each in table.columns]
            )
    entry.write(("\n".join(lines) + "\n").encode())
    sheet.add(table.columns, cells)


def _reseal(
    kept: bytes | str | None, table: Carried, column: str, contents: Contents, key: ArchiveKey
) -> str | None:
    if kept is None:
        return None
    if contents.leave and column in table.stays:
        return None if column in table.nullable else key.close("", table.name, column)
    text = kept if isinstance(kept, str) else open_sealed(kept, f"{table.name}.{column}")
    return key.close(text, table.name, column)


def _spliced(row: str, sealed: dict[str, str | None]) -> str:
    # The row is not read here: numbers would not survive it as they are.
    added = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in sealed.items())
    return f"{row[:-1]}{added}}}"


async def _write_files(archive: zipfile.ZipFile, contents: Contents) -> tuple[Part, ...]:
    """The tenant's objects; one that is discarded meanwhile is left out."""
    parts = []
    async for found in contents.store.listed(contents.tenant.id, contents.under):
        with suppress(Missing):
            pieces = await contents.store.read(found.key)
            with _entry(archive, f"files/{found.key.path}") as entry:
                async for chunk in pieces:
                    await asyncio.to_thread(entry.write, chunk)
            parts.append(entry.part)
    return tuple(parts)


def _pour(source: IO[bytes], entry: _Entry) -> None:
    while chunk := source.read(CHUNK):
        entry.write(chunk)


@dataclass(slots=True)
class _Entry:
    """A file of the archive while it is written; ``part`` is known in the end."""

    path: str
    stream: IO[bytes]
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, chunk: bytes) -> None:
        self.stream.write(chunk)
        self.size += len(chunk)
        self.digest.update(chunk)

    @property
    def part(self) -> Part:
        return Part(path=self.path, size=self.size, sha256=self.digest.hexdigest())


@contextmanager
def _entry(archive: zipfile.ZipFile, path: str) -> Iterator[_Entry]:
    with archive.open(path, "w", force_zip64=True) as stream:
        yield _Entry(path, stream)
