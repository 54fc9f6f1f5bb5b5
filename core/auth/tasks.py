"""What happens to accounts at night, and what strangers need not wait for."""

from __future__ import annotations

from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import recovery, sessions
from core.jobs import Schedule, actor


@actor("core.sweep_sessions")
async def sweep(session: AsyncSession) -> None:
    """Delete sessions and one-time tokens that are over: they open nothing any more."""
    await sessions.sweep(session)


@actor(recovery.SEND_RESET, queue="mail")
async def send_reset(session: AsyncSession, email: str, link: str, locale: str) -> None:
    """Write to whoever lost their password, if they have an account."""
    await recovery.send_reset(session, email, link, locale)


EVERY_NIGHT: Final = Schedule(actor=sweep, cron="20 4 * * *")
