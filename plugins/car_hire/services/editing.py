"""Two people editing one thing: the second is told, and nothing is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import EditedMeanwhile, Invalid
from core.i18n import LazyText

Keys = Mapping[str, tuple[str, LazyText]]
"""By the name of a unique constraint: the field at fault, and what to say."""


class Versioned(Protocol):
    """A row with a version that grows by one at each change."""

    version: int


def edit(row: Versioned, expected: int | None) -> None:
    """Note a change of ``row``, which was locked when read.

    ``expected`` is the version that the editor saw; None when nobody looked at it first.

    Raises:
        EditedMeanwhile: it has changed since.
    """
    if expected is not None and expected != row.version:
        raise EditedMeanwhile
    row.version += 1


@asynccontextmanager
async def unique(session: AsyncSession, keys: Keys) -> AsyncIterator[None]:
    """Write what the block changes; a key that exists already is an error of its field.

    Within a savepoint, so that the page can still be shown with what was typed.

    Raises:
        Invalid: naming the field whose value another row has.
    """
    try:
        async with session.begin_nested():
            yield
    except IntegrityError as problem:
        for constraint, (field, message) in keys.items():
            if constraint in str(problem.orig):
                raise Invalid(message, field=field) from problem
        raise
