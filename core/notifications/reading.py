"""What a person has been told: as many as are new, and page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.identity import Identity
from core.notifications.centre import Kind, centre
from core.notifications.models import Notification, NotificationHabits
from core.notifications.values import said
from core.scope import Tenant

PAGE_SIZE: Final = 30
NEWEST: Final = 8
"""As many as the panel under the bell shows."""
MOST_COUNTED: Final = 100
"""More unread ones than that are as good as that many, and cost no more to count."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A person, and the kinds that they may read now: what somebody was told of a product that
    is off, or with a permission that they have no more, is not shown."""

    user_id: UUID
    kinds: Mapping[str, Kind]

    @classmethod
    def of(cls, tenant: Tenant, identity: Identity) -> Self:
        """Whoever is signed in at ``tenant``."""
        return cls(identity.user_id, centre().kinds_for(tenant, identity.role))

    def sees(self) -> tuple[ColumnElement[bool], ...]:
        """The conditions on the notifications that are theirs to see."""
        return (
            Notification.user_id == self.user_id,
            Notification.in_app.is_(True),
            Notification.kind.in_(list(self.kinds)),
        )


@dataclass(frozen=True, slots=True)
class Told:
    """A notification as its reader sees it."""

    id: UUID
    text: str
    title: str
    icon: str
    at: datetime
    is_read: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How many are unread (``MOST_COUNTED`` at most), and the newest; ``quiet`` is whether the
    reader wants nothing to pop up."""

    unread: int
    newest: Sequence[Told]
    quiet: bool


async def standing(session: AsyncSession, reader: Reader) -> Standing:
    """What the bell shows, in the language of whoever is reading."""
    unread = (
        select(Notification.id)
        .where(*reader.sees(), Notification.read_at.is_(None))
        .limit(MOST_COUNTED)
        .subquery()
    )
    quiet = select(NotificationHabits.quiet).where(NotificationHabits.user_id == reader.user_id)
    counted = select(
        select(func.count()).select_from(unread).scalar_subquery(), quiet.scalar_subquery()
    )
    count, is_quiet = (await session.execute(counted)).one()
    newest = _newest(reader).limit(NEWEST)
    rows = await session.scalars(newest)
    return Standing(count, [_told(reader, row) for row in rows], bool(is_quiet))


async def page(
    session: AsyncSession,
    reader: Reader,
    *,
    unread: bool = False,
    kind: str = "",
    before: UUID | None = None,
) -> tuple[Sequence[Told], UUID | None]:
    """A page, newest first, and the id that asks for the next one, if there is one."""
    query = _newest(reader).limit(PAGE_SIZE + 1)
    if unread:
        query = query.where(Notification.read_at.is_(None))
    if kind:
        query = query.where(Notification.kind == kind)
    if before is not None:
        query = query.where(Notification.id < before)
    found = (await session.scalars(query)).all()
    shown = [_told(reader, row) for row in found[:PAGE_SIZE]]
    return shown, shown[-1].id if len(found) > PAGE_SIZE else None


def _newest(reader: Reader) -> Select[Notification]:
    return select(Notification).where(*reader.sees()).order_by(Notification.id.desc())


def _told(reader: Reader, row: Notification) -> Told:
    notice = reader.kinds[row.kind].notice
    return Told(
        id=row.id,
        text=said(notice, row.given),
        title=str(notice.title),
        icon=notice.icon,
        at=row.created_at,
        is_read=row.read_at is not None,
    )
