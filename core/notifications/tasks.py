"""The jobs of the notification centre."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.jobs import Schedule, actor
from core.notifications import letters, services


@actor(services.MAIL, queue="mail")
async def mail(session: AsyncSession, notification_id: UUID) -> None:
    """Write the letter about one notification."""
    await letters.send_one(session, notification_id)


@actor("core.notifications.digest", queue="mail")
async def digest(session: AsyncSession) -> None:
    """Ask for everybody's letter of the morning."""
    await letters.call_for_digests(session)


@actor(letters.SEND_DIGEST, queue="mail")
async def send_digest(session: AsyncSession, user_id: UUID, day: date) -> None:
    """Write one person's letter of the morning."""
    await letters.send_digest(session, user_id, day)


@actor("core.notifications.tidy")
async def tidy(session: AsyncSession) -> None:
    """Forget what was told long ago."""
    await services.tidy(session)


ACTORS: Final = (mail, digest, send_digest, tidy)
SCHEDULES: Final = (
    Schedule(actor=digest, cron="0 8 * * *"),
    Schedule(actor=tidy, cron="40 4 * * *"),
)
