"""The jobs of mail."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.jobs import Schedule, actor
from core.mail import services


@actor(services.DELIVER, queue="mail")
async def deliver(session: AsyncSession, mail_id: UUID) -> None:
    """Deliver one letter."""
    await services.deliver(session, mail_id)


@actor("core.mail.tidy")
async def tidy(session: AsyncSession) -> None:
    """Forget old letters."""
    await services.tidy(session)


ACTORS: Final = (deliver, tidy)
SCHEDULES: Final = (Schedule(actor=tidy, cron="20 4 * * *"),)
