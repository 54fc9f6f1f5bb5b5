"""Objects as files below one folder, which all processes share."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, TypeVar
from uuid import UUID

from core.ids import new_id
from core.storage.keys import Key, folder_of_tenant
from core.storage.store import CHUNK, Found, Missing, StorageAway, Written

T = TypeVar("T")

_UNFINISHED: Final = ".unfinished"


@dataclass(frozen=True, slots=True)
class DiskStore:
    """The objects below ``root``; readable to the account alone under which we run."""

    root: Path

    async def put(self, key: Key, body: AsyncIterable[bytes]) -> Written:
        """Written aside, then named: whoever reads meanwhile finds nothing, or all of it."""
        target = self.root / str(key)
        aside = target.with_name(f".{new_id().hex}{_UNFINISHED}")
        digest, size = hashlib.sha256(), 0
        file = await _done(_created, aside)
        try:
            async for chunk in body:
                await _done(file.write, chunk)
                digest.update(chunk)
                size += len(chunk)
            await _done(_finished, file)
            await _done(aside.replace, target)
        finally:
            with suppress(OSError):
                file.close()
            with suppress(FileNotFoundError):
                aside.unlink()
        return Written(size, digest.hexdigest())

    async def read(self, key: Key) -> AsyncIterator[bytes]:
        """Raises: Missing, StorageAway."""
        try:
            file = await asyncio.to_thread((self.root / str(key)).open, "rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise Missing(str(key)) from None
        except OSError as problem:
            raise StorageAway from problem
        return _pieces(file)

    async def delete(self, key: Key) -> None:
        """Remove a file, if it is there."""
        await asyncio.to_thread((self.root / str(key)).unlink, missing_ok=True)

    async def listed(self, tenant_id: UUID, under: str = "") -> AsyncIterator[Found]:
        """A link is left out: it may lead to what is another tenant's."""
        folder = self.folder(tenant_id)
        for path in await asyncio.to_thread(lambda: sorted(_files(folder / under))):
            with suppress(FileNotFoundError):  # removed meanwhile
                status = await asyncio.to_thread(path.lstat)
                key = Key(tenant_id, path.relative_to(folder).as_posix())
                written_at = datetime.fromtimestamp(status.st_mtime, UTC)
                yield Found(key, status.st_size, written_at)

    async def clear(self, tenant_id: UUID, under: str = "") -> None:
        """Remove a folder with all that is in it."""
        with suppress(FileNotFoundError):
            await asyncio.to_thread(shutil.rmtree, self.folder(tenant_id) / under)

    def folder(self, tenant_id: UUID) -> Path:
        """Where a tenant's files are."""
        return self.root / folder_of_tenant(tenant_id)


async def _done(act: Callable[..., T], *given: object) -> T:
    """Raises: StorageAway; no room, say, or no right."""
    try:
        return await asyncio.to_thread(act, *given)
    except OSError as problem:
        raise StorageAway from problem


def _created(path: Path) -> IO[bytes]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def _finished(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk


def _files(folder: Path) -> Iterator[Path]:
    for at, _folders, names in os.walk(folder):
        for name in names:
            path = Path(at) / name
            if not path.is_symlink() and not name.endswith(_UNFINISHED):
                yield path
