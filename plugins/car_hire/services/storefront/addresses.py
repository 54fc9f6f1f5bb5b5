"""The words by which classes and branches are found in addresses, made from their names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from itertools import count
from typing import Final, Protocol, TypeVar
from uuid import UUID

SITE: Final = "/car-hire"
CARS: Final = f"{SITE}/cars"
BRANCHES: Final = f"{SITE}/branches"
CONDITIONS: Final = f"{SITE}/conditions"
QUESTIONS: Final = f"{SITE}/questions"
_BETWEEN: Final = re.compile(r"[^a-z0-9]+")


class Named(Protocol):
    """A class or a branch."""

    @property
    def id(self) -> UUID:
        """Ids grow with time: who was there first has the plain word."""

    @property
    def name(self) -> str:
        """What people call it."""


N = TypeVar("N", bound=Named)


def by_word(rows: Iterable[N]) -> dict[str, N]:
    """Each row by a word of its own: ``Família`` is ``familia``, another of them ``familia-2``.

    A name without a letter or digit of ours is found by its id. Who is renamed has the new word;
    the old one leads there (``former``).
    """
    found: dict[str, N] = {}
    for each in sorted(rows, key=lambda row: row.id):
        found[_free(plain(each.name) or each.id.hex, found)] = each
    return found


def _free(word: str, taken: Collection[str]) -> str:
    if word not in taken:
        return word
    return next(other for n in count(2) if (other := f"{word}-{n}") not in taken)


def plain(name: str) -> str:
    """``name`` in lower case ASCII, with dashes between its words."""
    letters = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return _BETWEEN.sub("-", letters).strip("-")[:60]
