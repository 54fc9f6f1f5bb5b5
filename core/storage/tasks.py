"""The jobs that remove what is not needed any more."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.jobs import Schedule, actor
from core.storage import services


@actor(services.REMOVE)
async def remove(session: AsyncSession, area: str, file_id: UUID) -> None:
    """Remove the object of a file that was discarded."""
    await services.remove(session, area, file_id)


@actor("core.storage.sweep")
async def sweep(session: AsyncSession) -> None:
    """Remove objects that a crash left without a row."""
    await services.sweep(session)


ACTORS: Final = (remove, sweep)
SCHEDULES: Final = (Schedule(actor=sweep, cron="20 5 * * *"),)
