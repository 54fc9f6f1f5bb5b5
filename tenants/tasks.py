"""The jobs of tenant zero."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import outside
from core.jobs import Actor, Schedule, actor
from tenants import warm
from tenants.deletion import Deleter
from tenants.exports import EXPORT, Exporter
from tenants.imports import services as imports
from tenants.imports.checking import Checker
from tenants.lifecycle import FILL, PROVISION, closing, naming, removal
from tenants.provisioning import Provisioner


def actors(provisioner: Provisioner) -> tuple[Actor, ...]:
    """The jobs that ``provisioner`` does."""

    @actor(PROVISION, max_attempts=20, time_limit=timedelta(seconds=45))
    async def provision(session: AsyncSession, run_id: UUID) -> None:
        """Work a provisioning run off; it keeps its own record, step by step."""
        await outside(session, lambda: provisioner.run(run_id))

    @actor(FILL, max_attempts=20, time_limit=timedelta(hours=6))
    async def fill(session: AsyncSession, run_id: UUID) -> None:
        """The same for a tenant that begins with an archive, or as a copy."""
        await outside(session, lambda: provisioner.run(run_id))

    checker = Checker(provisioner.means)

    @actor(imports.CHECK, max_attempts=5, time_limit=timedelta(hours=2))
    async def check_upload(session: AsyncSession, upload_id: UUID) -> None:
        """Look at an archive that an owner has sent."""
        await checker.run(session, upload_id)

    exporter = Exporter(provisioner.means)

    @actor(EXPORT, max_attempts=5, time_limit=timedelta(hours=6))
    async def export(session: AsyncSession, export_id: UUID) -> None:
        """Write an archive that an owner asked for."""
        done = await exporter.run(session, export_id)
        if done is not None and done.plugin is not None:  # asked for before it is removed
            await removal.begin(session, done.tenant_id, done.plugin)

    @actor("tenants.tidy", time_limit=timedelta(minutes=30))
    async def tidy(session: AsyncSession) -> None:
        """Remove archives, tenants and reservations whose time is over."""
        await exporter.purge(session)
        await imports.purge(session, provisioner.means.settings)
        await closing.delete_due(session, provisioner.means.signals)
        await naming.release(session)

    @actor(warm.KEEP, time_limit=timedelta(minutes=2))
    async def keep_warm(session: AsyncSession) -> None:
        """Make the scopes that are to be ready for sign-ups, as far as they are lacking."""
        await outside(session, provisioner.warmer.keep)

    deleter = Deleter(provisioner.means)

    # Whoever still has one of its tables open is waited for: patiently, in many attempts.
    @actor(closing.DELETE, max_attempts=50, time_limit=timedelta(minutes=10))
    async def delete(session: AsyncSession, run_id: UUID) -> None:
        """Work the deletion of a tenant off; it keeps its own record, step by step."""
        await outside(session, lambda: deleter.run(run_id))

    return (provision, fill, check_upload, export, delete, tidy, keep_warm)


def schedules(actors: tuple[Actor, ...]) -> tuple[Schedule, ...]:
    """When those of ``actors`` run that nobody asks for."""
    by_name = {each.name: each for each in actors}
    return (
        Schedule(actor=by_name["tenants.tidy"], cron="17 * * * *"),
        Schedule(actor=by_name[warm.KEEP], cron="* * * * *", spread=timedelta(0)),
    )
