"""What happens to accounts at night."""

from __future__ import annotations

from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import sessions
from core.jobs import Schedule, actor


@actor("core.sweep_sessions")
async def sweep(session: AsyncSession) -> None:
    """Delete sessions and one-time tokens that are over: they open nothing any more."""
    await sessions.sweep(session)


EVERY_NIGHT: Final = Schedule(actor=sweep, cron="20 4 * * *")
