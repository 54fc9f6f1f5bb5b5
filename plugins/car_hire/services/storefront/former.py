"""Addresses of before: who followed an old link to a class or branch is led to its page of now.

A word that another one has by now is that one's; of several that had it, the last is meant.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import NotFound
from plugins.car_hire.models import FormerWord
from plugins.car_hire.services.storefront.addresses import Named, by_word

Kind = Literal["branch", "class"]


class Moved(NotFound):
    """What was there is at ``path`` now."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path


@asynccontextmanager
async def kept(session: AsyncSession, kind: Kind, rows: Iterable[Named]) -> AsyncIterator[None]:
    """Remember by which words ``rows`` were found that get others in the block: the one that is
    renamed, and whoever shared its name and has the plain word from now on."""
    rows = list(rows)
    before = {row.id: word for word, row in by_word(rows).items()}
    yield
    left = [
        {"kind": kind, "word": before[row.id], "subject_id": row.id, "left_at": clock.now()}
        for word, row in by_word(rows).items()
        if before[row.id] != word
    ]
    if left:
        added = insert(FormerWord).values(left)
        replaced = {name: added.excluded[name] for name in ("subject_id", "left_at")}
        await session.execute(
            added.on_conflict_do_update(
                index_elements=[FormerWord.kind, FormerWord.word], set_=replaced
            )
        )


async def refuse_moved(
    session: AsyncSession, kind: Kind, word: str, paths: Mapping[UUID, str]
) -> None:
    """Of a word that leads nowhere: say where its page is now, if it has one of ``paths``.

    Raises:
        Moved: it has.
    """
    query = select(FormerWord.subject_id).where(FormerWord.kind == kind, FormerWord.word == word)
    subject_id = await session.scalar(query)
    if subject_id is not None and subject_id in paths:
        raise Moved(paths[subject_id])
