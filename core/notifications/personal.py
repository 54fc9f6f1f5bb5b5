"""What the notification centre keeps of a person."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import _
from core.notifications.models import Notification, NotificationChoice, NotificationHabits
from core.personal import PersonalData, Rows

_TABLES: Final = (Notification, NotificationChoice, NotificationHabits)


async def export(session: AsyncSession, user_id: UUID) -> Rows:
    """What they were told, and how they want to be."""
    told = await session.scalars(select(Notification).where(Notification.user_id == user_id))
    chosen = await session.scalars(
        select(NotificationChoice).where(NotificationChoice.user_id == user_id)
    )
    return [
        *(
            {"kind": each.kind, "given": each.given, "created_at": each.created_at,
             "read_at": each.read_at, "mailed_at": each.mailed_at}
            for each in told
        ),
        *(
            {"kind": each.kind, "app": each.app, "mail": each.mail, "digest": each.digest}
            for each in chosen
        ),
    ]  # fmt: skip


async def erase(session: AsyncSession, user_id: UUID) -> None:
    """All of it."""
    for table in _TABLES:
        await session.execute(delete(table).where(table.user_id == user_id))


NOTIFICATIONS: Final = PersonalData(
    name="notifications",
    title=_("Notifications, and how they want to be told"),
    tables=("notifications", "notification_choices", "notification_habits"),
    export=export,
    erase=erase,
)
