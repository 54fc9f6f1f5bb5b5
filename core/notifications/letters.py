"""Letters about what happened: at once, or gathered in the morning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, mail
from core.auth.models import User
from core.crypto import ready
from core.i18n import reading_in
from core.jobs import put
from core.notifications.centre import Kind, centre
from core.notifications.models import Notification, NotificationHabits
from core.notifications.unsubscribing import DIGEST, Bearer, address
from core.notifications.values import said
from core.permissions import Role
from core.scope import current

SEND_DIGEST: Final = "core.notifications.send_digest"
"""The job that writes one person's letter of the morning."""
MOST_TOLD: Final = 100
"""A letter of the morning says no more than that; the rest is under the bell."""

_WAITING: Final = and_(
    Notification.mailing == "digest",
    Notification.mailed_at.is_(None),
    Notification.read_at.is_(None),
)


async def send_one(session: AsyncSession, notification_id: UUID) -> None:
    """Write the letter about one notification, unless its reader wants none by now."""
    row = await session.get(Notification, notification_id, with_for_update=True)
    if row is None or row.mailed_at is not None:
        return
    person = await _reachable(session, row.user_id)
    kind = _kinds(person).get(row.kind) if person is not None else None
    if person is None or kind is None:
        return
    language = person.locale or current().locale
    with reading_in(language):
        text = said(kind.notice, row.given)
    await _send(
        session,
        "notifications/mail/one",
        person,
        {"said": text, "link": _whole(f"/notifications/{row.id}")},
        bearer=Bearer(person.id, kind.notice.name),
        # By its beginning the letters about something are found when that is deleted.
        key=f"{row.subject_type}:{row.subject_id}:notification:{row.id}",
    )
    row.mailed_at = clock.now()


async def call_for_digests(session: AsyncSession) -> None:
    """Ask for the letter of this morning for each person who has something to be told."""
    day = clock.today(current().zone)
    people = select(Notification.user_id).where(_WAITING).distinct()
    for user_id in (await session.scalars(people)).all():
        told = {"user_id": user_id, "day": day}
        await put(session, SEND_DIGEST, told, key=f"digest:{user_id}:{day}")


async def send_digest(session: AsyncSession, user_id: UUID, day: date) -> None:
    """Write a person's letter of the morning of ``day`` (the tenant's calendar): what they have
    neither read nor been mailed before. At most one a day, and none that says nothing."""
    person = await _reachable(session, user_id)
    habits = await _locked_habits(session, user_id) if person is not None else None
    if person is None or habits is None or not habits.digest:
        return
    if habits.digested_on is not None and habits.digested_on >= day:
        return
    kinds = _kinds(person)
    query = (
        select(Notification)
        .where(_WAITING, Notification.user_id == user_id, Notification.kind.in_(list(kinds)))
        .order_by(Notification.kind, Notification.id.desc())
        .with_for_update()
    )
    rows = (await session.scalars(query)).all()
    if not rows:
        return
    with reading_in(person.locale or current().locale):
        groups = _grouped(rows[:MOST_TOLD], kinds)
    await _send(
        session,
        "notifications/mail/digest",
        person,
        {"groups": groups, "count": len(rows), "link": _whole("/notifications")},
        bearer=Bearer(user_id, DIGEST),
        key=f"digest:{user_id}:{day}",
    )
    habits.digested_on = day
    for row in rows:
        row.mailed_at = clock.now()


def _grouped(rows: Sequence[Notification], kinds: dict[str, Kind]) -> list[dict[str, Any]]:
    return [
        {
            "title": str(kinds[kind].notice.title),
            "told": [
                {
                    "text": said(kinds[kind].notice, row.given),
                    "at": row.created_at,
                    "link": _whole(f"/notifications/{row.id}"),
                }
                for row in told
            ],
        }
        for kind, told in groupby(rows, key=lambda row: row.kind)
    ]


async def _reachable(session: AsyncSession, user_id: UUID) -> User | None:
    """Whom letters may go to: people who may sign in and do not want quiet."""
    quiet = select(NotificationHabits.user_id).where(NotificationHabits.quiet)
    query = select(User).where(
        User.id == user_id, User.disabled_at.is_(None), User.id.not_in(quiet)
    )
    person: User | None = await session.scalar(query)
    return person


async def _locked_habits(session: AsyncSession, user_id: UUID) -> NotificationHabits:
    """The row that two letters of one morning would have to share."""
    wanted = insert(NotificationHabits).values(user_id=user_id)
    await session.execute(wanted.on_conflict_do_nothing())
    return await session.get_one(
        NotificationHabits, user_id, with_for_update=True, populate_existing=True
    )


def _kinds(person: User) -> dict[str, Kind]:
    return centre().kinds_for(current(), Role(person.role))


def _whole(path: str) -> str:
    return centre().url_of(current(), path)


async def _send(
    session: AsyncSession,
    template: str,
    person: User,
    said: dict[str, Any],
    *,
    bearer: Bearer,
    key: str,
) -> None:
    await ready(session)
    way_out = _whole(address(bearer))
    known = {"name": person.name, "way_out": way_out, "choices": _whole("/account/notifications")}
    await mail.send(
        session,
        template,
        person.email,
        known | said,
        locale=person.locale,
        key=key,
        unsubscribe=way_out,
    )
