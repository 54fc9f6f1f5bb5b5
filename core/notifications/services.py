"""Tell people, and note what they have read or want to forget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.auth import identity as identities
from core.auth.models import User
from core.errors import NotFound
from core.ids import new_id
from core.jobs import put
from core.notices import Channel, Notice
from core.notifications.centre import wake_after
from core.notifications.models import Notification, NotificationChoice
from core.notifications.reading import Reader
from core.notifications.values import Value, kept
from core.permissions import Role

MAIL: Final = "core.notifications.mail"
"""The job that writes the letter of one notification."""
READ_KEPT: Final = timedelta(days=90)
UNREAD_KEPT: Final = timedelta(days=365)


async def notify(
    session: AsyncSession,
    notice: Notice,
    *,
    subject: tuple[str, UUID | str],
    link: str,
    to: Iterable[UUID] | None = None,
    **values: Value,
) -> None:
    """Tell people what happened to ``subject`` (type and id), once this transaction has committed.

    Told are those named by ``to`` (ids of users of this scope); without it, whoever holds the
    permission of the notice's audience, save the one who did it. ``link`` is a path of this host.
    ``values`` fill the places of the notice's text: texts, numbers, money, days and moments.

    Raises:
        ValueError: a value is missing, ``link`` leads elsewhere, or nobody is named.
    """
    if not link.startswith("/") or link.startswith("//"):
        raise ValueError(f"{link!r} is not a path of this host")
    rows = [
        Notification(
            id=new_id(),
            user_id=each.user_id,
            kind=notice.name,
            subject_type=subject[0],
            subject_id=str(subject[1]),
            link=link,
            given=kept(notice, values),
            in_app=each.app,
            mailing="now" if each.mail else "digest" if each.digest else None,
        )
        for each in await _told(session, notice, to)
        if each.app or each.mail or each.digest
    ]
    session.add_all(rows)
    await session.flush()
    for row in rows:
        if row.mailing == "now":
            await put(session, MAIL, {"notification_id": row.id})
    wake_after(session, [row.user_id for row in rows])


class _Told(NamedTuple):
    user_id: UUID
    app: bool
    mail: bool
    digest: bool


async def _told(
    session: AsyncSession, notice: Notice, to: Iterable[UUID] | None
) -> Sequence[_Told]:
    """Whom to tell, and in which ways: as they chose, or else as the notice says."""
    chosen = NotificationChoice
    query = (
        select(
            User.id,
            func.coalesce(chosen.app, Channel.APP in notice.channels),
            func.coalesce(chosen.mail, Channel.MAIL in notice.channels),
            func.coalesce(chosen.digest, Channel.DIGEST in notice.channels),
        )
        .outerjoin(chosen, and_(chosen.user_id == User.id, chosen.kind == notice.name))
        .where(User.disabled_at.is_(None), *_named(notice, to))
        .order_by(User.id)
    )
    return [_Told(*row) for row in (await session.execute(query)).all()]


def _named(notice: Notice, to: Iterable[UUID] | None) -> list[ColumnElement[bool]]:
    if to is not None:
        return [User.id.in_(set(to))]
    if notice.audience is None:
        raise ValueError(f"{notice.name} has no audience: name whom to tell by to=")
    roles = [role.value for role in Role if notice.may_be_read_by(role)]
    person = identities.current()
    doer = [User.id != person.user_id] if person is not None and not person.machine else []
    return [User.role.in_(roles), *doer]


async def read(session: AsyncSession, reader: Reader, notification_id: UUID) -> str:
    """Note that the reader has seen one notification; the path of what it is about.

    Raises:
        NotFound: they have no such notification.
    """
    link: str | None = await session.scalar(
        update(Notification)
        .where(Notification.id == notification_id, *reader.sees())
        .values(read_at=func.coalesce(Notification.read_at, clock.now()))
        .returning(Notification.link)
    )
    if link is None:
        raise NotFound
    wake_after(session, [reader.user_id])
    return link


async def read_all(session: AsyncSession, reader: Reader) -> None:
    """Note that the reader has seen all there is."""
    await session.execute(
        update(Notification)
        .where(*reader.sees(), Notification.read_at.is_(None))
        .values(read_at=clock.now())
    )
    wake_after(session, [reader.user_id])


async def remove(session: AsyncSession, reader: Reader, notification_id: UUID) -> None:
    """Delete one notification.

    Raises:
        NotFound: the reader has no such notification.
    """
    gone: Any = await session.scalar(
        delete(Notification)
        .where(Notification.id == notification_id, *reader.sees())
        .returning(Notification.id)
    )
    if gone is None:
        raise NotFound
    wake_after(session, [reader.user_id])


async def clear(session: AsyncSession, reader: Reader) -> None:
    """Delete what the reader has read."""
    await session.execute(
        delete(Notification).where(*reader.sees(), Notification.read_at.is_not(None))
    )


async def tidy(session: AsyncSession) -> None:
    """Delete what was read long ago, or not in a year."""
    moment = clock.now()
    await session.execute(delete(Notification).where(Notification.read_at < moment - READ_KEPT))
    await session.execute(
        delete(Notification).where(Notification.created_at < moment - UNREAD_KEPT)
    )


async def forget_subject(session: AsyncSession, subject_type: str, subject_id: UUID) -> None:
    """Delete what anybody was told of something that is gone."""
    await session.execute(
        delete(Notification).where(
            Notification.subject_type == subject_type, Notification.subject_id == str(subject_id)
        )
    )
