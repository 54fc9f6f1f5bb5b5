"""The jobs of tenant zero that look at the addresses that businesses send from."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.jobs import Actor, Schedule, actor
from tenants.senders import checking
from tenants.senders.checking import SenderInspector


def jobs(inspector: SenderInspector) -> tuple[tuple[Actor, ...], tuple[Schedule, ...]]:
    """The jobs that ``inspector`` does, and when they are due."""

    @actor("senders.check", max_attempts=3, time_limit=timedelta(minutes=2))
    async def check_sender(session: AsyncSession, sender_id: UUID) -> None:
        """Look at one sender's records."""
        await inspector.look(session, sender_id)

    @actor("senders.check_due")
    async def check_senders(session: AsyncSession) -> None:
        """Have the senders looked at whose time has come."""
        for sender_id in await checking.due(session):
            await check_sender.enqueue(session, sender_id=sender_id)

    every_minute = Schedule(actor=check_senders, cron="* * * * *", spread=timedelta(seconds=30))
    return (check_sender, check_senders), (every_minute,)
