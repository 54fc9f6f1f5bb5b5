"""Read an archive: refuse what is damaged or too new, naming the file, before anything is made.

Whoever made it may be nobody's friend. So nothing is ever read whole, not even the list of its
files before its size is known, and what it unpacks to is measured as it comes.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self
from uuid import UUID

import msgspec

from core.errors import Invalid
from core.i18n import LazyText, _, fill
from core.plugin import Plugins
from core.storage.keys import LONGEST, Key
from core.storage.store import Store
from tenants.archive.manifest import FORMAT, NAME, Manifest, Part, TablePart
from tenants.migration.lines import Lines

BATCH: Final = 500
CHUNK: Final = 1 << 20
LARGEST_MANIFEST: Final = 16 << 20
LARGEST_BATCH: Final = 4 << 20
"""Characters of rows that are in memory at a time, and ..."""
LONGEST_ROW: Final = 64 << 20
"""... bytes of the longest one that there may be."""
LONGEST_NAME: Final = 200
"""Bytes of a file's name; file systems have 255."""
DEEPEST: Final = 32
"""Folders in each other. Whoever compares paths pays for the square of it."""
LONGEST_SHOWN: Final = 200
"""Characters of a name that a stranger chose."""
LARGEST_LIST: Final = 32 << 20
"""Bytes of the list of files at the end of the zip: some 300,000 of them."""
_PACKED: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""How we pack. What else ``zipfile`` knows unpacks without end into memory."""
_DAMAGE: Final = (
    zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error,
)  # fmt: skip
"""What ``zipfile`` raises on bytes that are not what they were, NotImplemented included."""


class BadArchive(Invalid):
    """An archive that cannot be used; the message names the file in it."""

    code = "bad_archive"


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that was opened, and its manifest."""

    zip: zipfile.ZipFile
    manifest: Manifest

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """Open the archive at ``path``; what it holds is not checked yet.

        Raises:
            BadArchive: it is none, or its manifest is missing, malformed or of a newer format.
        """
        try:
            file = _Wary(path, "rb")
        except OSError:
            raise BadArchive(bad(_("{file} is no archive, or it is damaged"), path.name)) from None
        with file:
            try:
                opened = zipfile.ZipFile(file)
            except (*_DAMAGE, ValueError):
                text = _("{file} is no archive, or it is damaged")
                raise BadArchive(bad(text, path.name)) from None
            with opened:
                if any(each.compress_type not in _PACKED for each in opened.infolist()):
                    raise BadArchive(bad(_("{file} is packed in another way"), path.name))
                yield cls(opened, _manifest(opened))

    def check(self) -> None:
        """Read everything once, and compare it with the manifest.

        Raises:
            BadArchive: naming the first file that is missing, too many, or not as it was.
        """
        for _read in self.checking():
            pass

    def checking(self) -> Iterator[int]:
        """``check``, step by step: the bytes that were read in each.

        Raises:
            BadArchive: as ``check`` does.
        """
        parts = {part.path: part for part in self.manifest.parts}
        names = [each.filename for each in self.zip.infolist()]
        present = set(names)
        for path in sorted(present - parts.keys() - {NAME}):
            raise BadArchive(bad(_("{file} is not in the manifest"), path))
        if len(present) < len(names) or len(parts) < len(self.manifest.parts):
            raise BadArchive(bad(_("{file} names a file twice"), NAME))
        for path, part in parts.items():
            if path not in present:
                raise BadArchive(bad(_("{file} is missing"), path))
            yield from self._compare(part)

    def _compare(self, part: Part) -> Iterator[int]:
        digest, size = hashlib.sha256(), 0
        try:
            with self.zip.open(part.path) as stream:
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    if size > part.size:
                        break
                    yield len(chunk)
        except _DAMAGE:
            raise BadArchive(bad(_("{file} is damaged"), part.path)) from None
        if (size, digest.hexdigest()) != (part.size, part.sha256):
            raise BadArchive(bad(_("{file} is not what the manifest says"), part.path))

    def insist_on_software(self, plugins: Plugins, lines: Lines) -> None:
        """Insist that all its products are installed here, and know its revisions.

        Raises:
            BadArchive: naming the product that is missing, or the revision that is too new.
        """
        for name in sorted(self.manifest.plugins.keys() - plugins.working.keys()):
            raise BadArchive(bad(_("the product {file} is not installed here"), name))
        for name, revision in self.manifest.lines.items():
            line = lines.by_name.get(name)
            if line is None or revision not in {each.id for each in line.revisions}:
                text = _("{file} is newer than this software, which must be upgraded first")
                raise BadArchive(bad(text, f"{name} {revision}"))

    def batches(self, table: TablePart) -> Iterator[list[str]]:
        """The rows of a table as JSON, some at a time.

        Raises:
            BadArchive: a row is longer than any that we write.
        """
        batch: list[str] = []
        size = 0
        with self.zip.open(table.rows.path) as stream:
            while line := stream.readline(LONGEST_ROW):
                if len(line) == LONGEST_ROW:
                    raise BadArchive(bad(_("{file} is damaged"), table.rows.path))
                batch.append(line.decode())
                size += len(line)
                if len(batch) == BATCH or size > LARGEST_BATCH:
                    yield batch
                    batch, size = [], 0
        if batch:
            yield batch

    async def pour_files(self, store: Store, tenant_id: UUID) -> None:
        """Make its files a tenant's.

        Raises:
            BadArchive: a path leads elsewhere.
        """
        for part in self.manifest.files:
            key = Key(tenant_id, "/".join(steps_of(part)))
            with self.zip.open(part.path) as stream:
                await store.put(key, _pieces(stream))

    @property
    def checksums(self) -> Mapping[str, str]:
        """The SHA-256 of each table's rows, by its name."""
        return {each.name: each.rows.sha256 for each in self.manifest.tables}


def steps_of(part: Part) -> tuple[str, ...]:
    """The folders on the way to a file of the archive, and its name. No file system is asked.

    Raises:
        BadArchive: its path leads elsewhere, or further than any that we write.
    """
    inside = part.path.removeprefix("files/")
    # First what costs nothing: such a path may be as long as the whole manifest.
    if inside != part.path and len(inside) <= LONGEST:
        steps = tuple(inside.split("/"))
        fits = len(inside.encode("utf-8", "replace")) <= LONGEST
        if fits and len(steps) <= DEEPEST and all(map(_is_name, steps)):
            return steps
    raise BadArchive(bad(_("{file} leads out of the archive"), part.path))


def _is_name(step: str) -> bool:
    length = len(step.encode("utf-8", "replace"))
    return step not in {"", ".", ".."} and not {"\0", "\\"} & set(step) and length <= LONGEST_NAME


async def _pieces(stream: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(stream.read, CHUNK):
        yield chunk


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Archive]:
    """``Archive.open`` in a thread: to read a long list of files takes seconds.

    Raises:
        BadArchive: as ``Archive.open`` does.
    """
    with ExitStack() as stack:
        yield await asyncio.to_thread(stack.enter_context, Archive.open(path))


class _Wary(io.FileIO):
    """A file of which nobody reads more at once than an honest archive asks for: ``zipfile``
    takes the list of files whole, of whatever length the archive claims it to be."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = LARGEST_LIST
        if size > LARGEST_LIST:
            raise zipfile.BadZipFile("its list of files is too long")
        return super().read(size)


def _manifest(opened: zipfile.ZipFile) -> Manifest:
    try:
        info = opened.getinfo(NAME)
    except KeyError:
        raise BadArchive(bad(_("{file} is missing"), NAME)) from None
    if info.file_size > LARGEST_MANIFEST:
        raise BadArchive(bad(_("{file} is damaged"), NAME))
    try:
        with opened.open(info) as stream:
            # Not ``opened.read``: it inflates everything before it looks at the length.
            text = stream.read(LARGEST_MANIFEST + 1)
        if len(text) > LARGEST_MANIFEST:
            raise BadArchive(bad(_("{file} is damaged"), NAME))
        found = msgspec.json.decode(text, type=_Format)
        if found.format > FORMAT:
            text_ = _("{file} is newer than this software, which must be upgraded first")
            raise BadArchive(bad(text_, NAME))
        return msgspec.json.decode(text, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, *_DAMAGE):
        raise BadArchive(bad(_("{file} is damaged"), NAME)) from None


class _Format(msgspec.Struct):
    """What every manifest says, however new."""

    format: int


def bad(text: LazyText, file: str) -> LazyText | str:
    """What is wrong, naming the file as far as its name can be kept and shown."""
    return fill(text, file=printable(file, LONGEST_SHOWN))


def printable(text: str, longest: int) -> str:
    """What a stranger wrote, without what neither a page nor PostgreSQL takes."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text[:longest])
