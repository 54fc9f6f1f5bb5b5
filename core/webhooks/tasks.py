"""The jobs of webhooks."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.jobs import Schedule, actor
from core.webhooks import delivering, log
from core.webhooks.spreading import DELIVER


@actor(DELIVER)
async def deliver(session: AsyncSession, delivery_id: UUID) -> None:
    """Make one attempt."""
    await delivering.attempt(session, delivery_id)


@actor("core.webhooks.tidy")
async def tidy(session: AsyncSession) -> None:
    """Forget what is old."""
    await log.tidy(session)


ACTORS: Final = (deliver, tidy)
SCHEDULES: Final = (Schedule(actor=tidy, cron="25 3 * * *"),)
