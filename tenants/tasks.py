"""The jobs of tenant zero."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import outside
from core.jobs import Actor, Schedule, actor
from tenants.exports import EXPORT, Exporter
from tenants.lifecycle import PROVISION, naming
from tenants.provisioning import Provisioner


def actors(provisioner: Provisioner) -> tuple[Actor, ...]:
    """The jobs that ``provisioner`` does."""

    # A killed worker's run waits for the lease, which outlasts the limit: keep it short.
    @actor(PROVISION, max_attempts=20, time_limit=timedelta(seconds=45))
    async def provision(session: AsyncSession, run_id: UUID) -> None:
        """Work a provisioning run off; it keeps its own record, step by step."""
        await outside(session, lambda: provisioner.run(run_id))

    exporter = Exporter(provisioner.means)

    @actor(EXPORT, max_attempts=5, time_limit=timedelta(hours=6))
    async def export(session: AsyncSession, export_id: UUID) -> None:
        """Write an archive that an owner asked for."""
        await exporter.run(session, export_id)

    @actor("tenants.tidy", time_limit=timedelta(minutes=30))
    async def tidy(session: AsyncSession) -> None:
        """Remove archives and reservations whose time is over."""
        await exporter.purge(session)
        await naming.release(session)

    return (provision, export, tidy)


def schedules(actors: tuple[Actor, ...]) -> tuple[Schedule, ...]:
    """When those of ``actors`` run that nobody asks for."""
    return tuple(
        Schedule(actor=each, cron="17 * * * *") for each in actors if each.name == "tenants.tidy"
    )
