"""The port: objects that are written whole, read in pieces, listed and removed.

What is written is never written again under the same key, so that nobody reads half of one and
half of another.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from core.errors import Unavailable
from core.i18n import _
from core.storage.keys import Key

CHUNK: Final = 1 << 20
"""Bytes that are read at a time."""


class Missing(LookupError):
    """There is no object of this key."""


class StorageAway(Unavailable):
    """The store does not answer; nothing was changed that a second attempt would not mend."""

    title = _("Files cannot be reached just now; please try again in a minute")


@dataclass(frozen=True, slots=True)
class Written:
    """What came: bytes, and their SHA-256 in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Found:
    """An object that is there; ``written_at`` is aware."""

    key: Key
    size: int
    written_at: datetime


class Store(Protocol):
    """Objects of all tenants. Every call talks to the outside: see ``core.db.outside``."""

    async def put(self, key: Key, body: AsyncIterable[bytes]) -> Written:
        """Write an object, which appears when it is whole.

        Raises:
            StorageAway: it is not there.
        """

    async def read(self, key: Key) -> AsyncIterator[bytes]:
        """What an object holds, in pieces of at most ``CHUNK`` bytes.

        Raises:
            Missing: there is none.
            StorageAway: at once, or while reading.
        """

    async def delete(self, key: Key) -> None:
        """Remove an object, if it is there."""

    def listed(self, tenant_id: UUID, under: str = "") -> AsyncIterator[Found]:
        """The objects of a tenant, in the order of their paths; those below the folder ``under``
        alone, if it is given."""

    async def clear(self, tenant_id: UUID, under: str = "") -> None:
        """Remove all of them, with what was begun and never finished."""


_installed: list[Store] = []


class NoStore(RuntimeError):
    """The process was started without one: always a mistake of composition."""


def install(store: Store) -> None:
    """Make ``store`` this process's own: for the composition root and tests."""
    _installed[:] = [store]


def installed() -> Store:
    """This process's store.

    Raises:
        NoStore: none was installed.
    """
    if not _installed:
        raise NoStore("core.storage.store.install() was not called at start")
    return _installed[0]
