"""The job that forgets old answers."""

from __future__ import annotations

from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from core.idempotency import services
from core.jobs import Schedule, actor


@actor("core.idempotency.tidy")
async def tidy(session: AsyncSession) -> None:
    """Forget old answers."""
    await services.tidy(session)


ACTORS: Final = (tidy,)
SCHEDULES: Final = (Schedule(actor=tidy, cron="40 4 * * *"),)
