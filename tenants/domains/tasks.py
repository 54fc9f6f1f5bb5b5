"""The jobs of tenant zero that look at claimed names."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.jobs import Actor, Schedule, actor
from tenants.domains import checking
from tenants.domains.checking import Inspector


def jobs(inspector: Inspector) -> tuple[tuple[Actor, ...], tuple[Schedule, ...]]:
    """The jobs that ``inspector`` does, and when they are due."""

    @actor("domains.check", max_attempts=3, time_limit=timedelta(minutes=1))
    async def check_domain(session: AsyncSession, domain_id: UUID) -> None:
        """Look at one name's records."""
        await inspector.look(session, domain_id)

    @actor("domains.check_due")
    async def check_domains(session: AsyncSession) -> None:
        """Have the names looked at whose time has come."""
        for domain_id in await checking.due(session):
            await check_domain.enqueue(session, domain_id=domain_id)

    every_minute = Schedule(actor=check_domains, cron="* * * * *", spread=timedelta(seconds=30))
    return (check_domain, check_domains), (every_minute,)
