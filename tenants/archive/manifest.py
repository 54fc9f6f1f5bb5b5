"""``manifest.json``: what an archive holds, and the checksums by which damage is noticed."""

from __future__ import annotations

import base64
from typing import Final

import msgspec

FORMAT: Final = 1
"""Raised whenever an older version of this software could not read what a newer one writes."""
NAME: Final = "manifest.json"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the archive: its size in bytes, and its SHA-256 in hexadecimal."""

    path: str
    size: int
    sha256: str


class TablePart(msgspec.Struct, frozen=True, kw_only=True):
    """A table: ``rows`` is JSON Lines, which is what an import reads; ``sheet`` is for people.

    Columns that are ``sealed`` hold text sealed by the archive's own key.
    """

    name: str
    line: str
    count: int
    columns: tuple[str, ...]
    sealed: tuple[str, ...]
    rows: Part
    sheet: Part


class SenderOfMail(msgspec.Struct, frozen=True, kw_only=True):
    """From where its letters came. No key: elsewhere another one is made and proved."""

    address: str
    name: str | None
    reply_to: str | None


class About(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant, as the catalogue knew it."""

    id: str
    slug: str
    name: str
    zone: str
    currency: str
    locale: str
    country: str | None
    color: str | None
    logo: str | None
    hosting: str
    sender: SenderOfMail | None = None


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """How the key is made of the passphrase, and a text sealed by it that shows the right one.

    The key is scrypt(passphrase, salt, n=2^15, r=8, p=1), 64 bytes. An archive that was not made
    for people has no passphrase, and ``salt`` is empty.
    """

    salt: str
    proof: str

    @property
    def opened_salt(self) -> bytes:
        """The salt as bytes; what is no base64 counts as none."""
        try:
            return base64.b64decode(self.salt, validate=True)
        except ValueError:
            return b""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in the archive but itself. ``lines`` has the revision of each line of
    migrations, ``plugins`` the version of each product; those that were ``off`` begin so again. An
    archive written before that was noted has all of them on."""

    format: int
    software: str
    made_at: str
    tenant: About
    plugins: dict[str, str]
    off: tuple[str, ...] = ()
    lines: dict[str, str]
    lock: Lock
    tables: tuple[TablePart, ...]
    files: tuple[Part, ...]

    @property
    def parts(self) -> list[Part]:
        """Every file whose checksum is known."""
        return [each for table in self.tables for each in (table.rows, table.sheet)] + list(
            self.files
        )
