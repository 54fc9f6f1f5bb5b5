"""How a person wants to be told: by kind and channel, and altogether."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.notices import Channel, Notice
from core.notifications.models import NotificationChoice, NotificationHabits
from core.notifications.reading import Reader

Ways = frozenset[Channel]
_ROW: Final = (Channel.APP, Channel.MAIL, Channel.DIGEST)


@dataclass(frozen=True, slots=True)
class Wishes:
    """``ways`` are those of each kind that the reader may be told of, by name."""

    ways: Mapping[str, Ways]
    quiet: bool
    digest: bool


async def wishes(session: AsyncSession, reader: Reader) -> Wishes:
    """What the reader chose, and what holds where they have not."""
    rows = await session.scalars(
        select(NotificationChoice).where(NotificationChoice.user_id == reader.user_id)
    )
    chosen = {row.kind: _ways(row) for row in rows}
    habits = await session.get(NotificationHabits, reader.user_id)
    return Wishes(
        {name: chosen.get(name, kind.notice.channels) for name, kind in reader.kinds.items()},
        quiet=habits is not None and habits.quiet,
        digest=habits is None or habits.digest,
    )


async def save(session: AsyncSession, reader: Reader, wanted: Wishes) -> None:
    """Keep what the reader chose, for the kinds that they may be told of; other kinds are left.

    A choice that is the notice's own is kept too: the notice may come to say otherwise.
    """
    for name, ways in wanted.ways.items():
        if name in reader.kinds:
            await _choose(session, reader.user_id, name, ways)
    await _habits(session, reader.user_id, quiet=wanted.quiet, digest=wanted.digest)


async def no_more_letters(session: AsyncSession, user_id: UUID, notice: Notice) -> None:
    """Send no more letters about one kind of thing to a person, neither at once nor mornings."""
    row = await session.get(NotificationChoice, (user_id, notice.name))
    ways = _ways(row) if row is not None else notice.channels
    await _choose(session, user_id, notice.name, ways - {Channel.MAIL, Channel.DIGEST})


async def no_more_digests(session: AsyncSession, user_id: UUID) -> None:
    """Send a person no more letters of the morning."""
    await _habits(session, user_id, digest=False)


def _ways(row: NotificationChoice) -> Ways:
    return frozenset(channel for channel in _ROW if getattr(row, channel.value))


async def _choose(
    session: AsyncSession, user_id: UUID, kind: str, ways: Collection[Channel]
) -> None:
    values = {channel.value: channel in ways for channel in _ROW}
    wanted = insert(NotificationChoice).values(user_id=user_id, kind=kind, **values)
    await session.execute(
        wanted.on_conflict_do_update(index_elements=["user_id", "kind"], set_=values)
    )


async def _habits(session: AsyncSession, user_id: UUID, **values: bool) -> None:
    wanted = insert(NotificationHabits).values(user_id=user_id, **values)
    await session.execute(wanted.on_conflict_do_update(index_elements=["user_id"], set_=values))
