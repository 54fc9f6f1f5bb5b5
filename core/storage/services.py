"""Keep a file, read it, discard it.

The object is written before its row and removed after it: a row always has its content. What a
crash leaves without a row is swept away a day later.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import filetype
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity as identities
from core.clock import now
from core.db import outside
from core.errors import NotFound
from core.ids import new_id
from core.jobs import put
from core.scope import current
from core.storage.keys import Key
from core.storage.models import StoredFile
from core.storage.store import CHUNK, installed

REMOVE: Final = "core.storage.remove"
"""The job that removes the object of a row that is gone."""
LARGEST_WHOLE: Final = 25_000_000
"""Bytes of what ``content`` reads into memory."""
UNKNOWN: Final = "application/octet-stream"
_STRAY: Final = timedelta(days=1)
_AT_ONCE: Final = 500


async def keep(
    session: AsyncSession, area: str, name: str, body: bytes | AsyncIterable[bytes]
) -> StoredFile:
    """Keep ``body`` as a new file of ``area``, called ``name``.

    What was recorded so far is committed (see ``core.db.outside``), and the row is in the
    transaction that follows. Whoever calls this has looked at what it is and how large.

    Raises:
        StorageAway: nothing was kept.
    """
    file_id = new_id()
    key = Key.here(area, file_id)
    seen = _Seen(_pieces(body) if isinstance(body, bytes) else body)
    written = await outside(session, lambda: installed().put(key, seen.through()))
    asking = identities.current()
    file = StoredFile(
        id=file_id,
        area=area,
        name=printable(name),
        media_type=media_type(bytes(seen.head)),
        size=written.size,
        sha256=written.sha256,
        created_by=asking.user_id if asking else None,
    )
    session.add(file)
    await session.flush()
    return file


async def one(session: AsyncSession, file_id: UUID) -> StoredFile:
    """The file of this id.

    Raises:
        NotFound: there is none.
    """
    if found := await session.get(StoredFile, file_id):
        return found
    raise NotFound


async def several(session: AsyncSession, file_ids: Sequence[UUID]) -> dict[UUID, StoredFile]:
    """Those of these ids that there are, by id."""
    found = await session.scalars(select(StoredFile).where(StoredFile.id.in_(file_ids)))
    return {each.id: each for each in found}


async def opened(session: AsyncSession, file: StoredFile) -> AsyncIterator[bytes]:
    """What is in a file, piece by piece; what was recorded so far is committed.

    Raises:
        Missing: its object is lost.
        StorageAway: at once, or while reading.
    """
    key = Key.here(file.area, file.id)
    return await outside(session, lambda: installed().read(key))


async def content(session: AsyncSession, file: StoredFile) -> bytes:
    """All that is in a short file; what was recorded so far is committed.

    Raises:
        ValueError: it is longer than ``LARGEST_WHOLE``.
        Missing, StorageAway: as ``opened`` does.
    """
    if file.size > LARGEST_WHOLE:
        raise ValueError(f"{file.size} bytes are too many to hold at once")
    key = Key.here(file.area, file.id)

    async def read() -> bytes:
        return b"".join([piece async for piece in await installed().read(key)])

    return await outside(session, read)


async def discard(session: AsyncSession, file_id: UUID) -> None:
    """Remove a file: its row now, its object once that is committed. One that is gone is passed
    over."""
    file = await session.get(StoredFile, file_id, with_for_update=True)
    if file is None:
        return
    await session.delete(file)
    await session.flush()
    await put(session, REMOVE, {"area": file.area, "file_id": file.id}, key=str(file.id))


async def remove(session: AsyncSession, area: str, file_id: UUID) -> None:
    """Remove the object of a file whose row is gone."""
    if await session.get(StoredFile, file_id) is None:
        key = Key.here(area, file_id)
        await outside(session, lambda: installed().delete(key))


async def sweep(session: AsyncSession) -> None:
    """Remove the objects that have had no row for a day."""
    batches = _old_ones()
    while batch := await outside(session, lambda: anext(batches, None)):
        kept = await session.scalars(select(StoredFile.id).where(StoredFile.id.in_(batch)))
        stray = batch.keys() - set(kept)
        await outside(session, partial(_delete, [batch[each] for each in stray]))


async def _old_ones() -> AsyncIterator[dict[UUID, Key]]:
    batch: dict[UUID, Key] = {}
    before = now() - _STRAY
    async for each in installed().listed(current().id):
        name = each.key.path.rpartition("/")[2]
        if each.written_at < before and len(name) == 32 and set(name) <= set("0123456789abcdef"):
            batch[UUID(name)] = each.key
        if len(batch) == _AT_ONCE:
            yield batch
            batch = {}
    if batch:
        yield batch


async def _delete(keys: Sequence[Key]) -> None:
    for key in keys:
        await installed().delete(key)


def media_type(head: bytes) -> str:
    """What a file is by how it begins; text, and what can hold scripts, is not told apart."""
    kind = filetype.guess(head)
    return str(kind.mime) if kind is not None else UNKNOWN


def printable(name: str) -> str:
    """What the sender calls a file, as far as it can be shown and saved."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in bare if each.isprintable()).strip()[:120] or "file"


@dataclass(slots=True)
class _Seen:
    """A body whose beginning is remembered as it passes."""

    body: AsyncIterable[bytes]
    head: bytearray = field(default_factory=bytearray)

    async def through(self) -> AsyncIterator[bytes]:
        async for chunk in self.body:
            if len(self.head) < _HEAD:
                self.head += chunk[:_HEAD]
            yield chunk


_HEAD: Final = 8192


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), CHUNK):
        yield body[start : start + CHUNK]
