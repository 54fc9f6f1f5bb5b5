"""Read an archive: refuse what is damaged or too new, naming the file, before anything is made."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import msgspec

from core.errors import Invalid
from core.i18n import LazyText, _, fill
from core.plugin import Plugins
from tenants.archive.manifest import FORMAT, NAME, Manifest, Part, TablePart
from tenants.archive.sealing import ArchiveKey
from tenants.migration.lines import Lines

BATCH: Final = 500
CHUNK: Final = 1 << 20
LARGEST_MANIFEST: Final = 16 << 20
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
            opened = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError):
            raise BadArchive(_bad(_("{file} is no archive, or it is damaged"), path.name)) from None
        with opened:
            yield cls(opened, _manifest(opened))

    def check(self) -> None:
        """Read everything once, and compare it with the manifest.

        Raises:
            BadArchive: naming the first file that is missing, too many, or not as it was.
        """
        parts = {part.path: part for part in self.manifest.parts}
        present = {each.filename for each in self.zip.infolist()}
        for path in sorted(present - parts.keys() - {NAME}):
            raise BadArchive(_bad(_("{file} is not in the manifest"), path))
        for path, part in parts.items():
            if path not in present:
                raise BadArchive(_bad(_("{file} is missing"), path))
            self._compare(part)

    def _compare(self, part: Part) -> None:
        digest, size = hashlib.sha256(), 0
        try:
            with self.zip.open(part.path) as stream:
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    if size > part.size:
                        break
        except _DAMAGE:
            raise BadArchive(_bad(_("{file} is damaged"), part.path)) from None
        if (size, digest.hexdigest()) != (part.size, part.sha256):
            raise BadArchive(_bad(_("{file} is not what the manifest says"), part.path))

    def insist_on_key(self, key: ArchiveKey) -> None:
        """Insist that ``key`` opens what is sealed here.

        Raises:
            Invalid: it does not; with the field ``passphrase``.
        """
        if not key.fits(self.manifest.lock):
            raise Invalid(_("This passphrase does not open the archive"), field="passphrase")

    def insist_on_software(self, plugins: Plugins, lines: Lines) -> None:
        """Insist that all its products are installed here, and know its revisions.

        Raises:
            BadArchive: naming the product that is missing, or the revision that is too new.
        """
        for name in sorted(self.manifest.plugins.keys() - plugins.working.keys()):
            raise BadArchive(_bad(_("the product {file} is not installed here"), name))
        for name, revision in self.manifest.lines.items():
            line = lines.by_name.get(name)
            if line is None or revision not in {each.id for each in line.revisions}:
                text = _("{file} is newer than this software, which must be upgraded first")
                raise BadArchive(_bad(text, f"{name} {revision}"))

    def batches(self, table: TablePart) -> Iterator[list[str]]:
        """The rows of a table as JSON, some at a time."""
        batch: list[str] = []
        with self.zip.open(table.rows.path) as stream:
            for line in stream:
                batch.append(line.decode())
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def pour_files(self, folder: Path) -> None:
        """Write its files below ``folder``.

        Raises:
            BadArchive: a path leads elsewhere.
        """
        for part in self.manifest.files:
            target = (folder / part.path.removeprefix("files/")).resolve()
            if not part.path.startswith("files/") or not target.is_relative_to(folder.resolve()):
                raise BadArchive(_bad(_("{file} leads out of the archive"), part.path))
            target.parent.mkdir(parents=True, exist_ok=True)
            with self.zip.open(part.path) as stream, target.open("wb") as to:
                while chunk := stream.read(CHUNK):
                    to.write(chunk)

    @property
    def checksums(self) -> Mapping[str, str]:
        """The SHA-256 of each table's rows, by its name."""
        return {each.name: each.rows.sha256 for each in self.manifest.tables}


def _manifest(opened: zipfile.ZipFile) -> Manifest:
    try:
        info = opened.getinfo(NAME)
    except KeyError:
        raise BadArchive(_bad(_("{file} is missing"), NAME)) from None
    if info.file_size > LARGEST_MANIFEST:
        raise BadArchive(_bad(_("{file} is damaged"), NAME))
    try:
        text = opened.read(NAME)
        found = msgspec.json.decode(text, type=_Format)
        if found.format > FORMAT:
            text_ = _("{file} is newer than this software, which must be upgraded first")
            raise BadArchive(_bad(text_, NAME))
        return msgspec.json.decode(text, type=Manifest)
    except (msgspec.MsgspecError, zipfile.BadZipFile, UnicodeDecodeError, zlib.error):
        raise BadArchive(_bad(_("{file} is damaged"), NAME)) from None


class _Format(msgspec.Struct):
    """What every manifest says, however new."""

    format: int


def _bad(text: LazyText, file: str) -> LazyText | str:
    return fill(text, file=file)
