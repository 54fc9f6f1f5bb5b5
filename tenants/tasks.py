"""The jobs of tenant zero."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import outside
from core.jobs import Actor, actor
from tenants.lifecycle import PROVISION
from tenants.provisioning import Provisioner


def actors(provisioner: Provisioner) -> tuple[Actor, ...]:
    """The jobs that ``provisioner`` does."""

    # A killed worker's run waits for the lease, which outlasts the limit: keep it short.
    @actor(PROVISION, max_attempts=20, time_limit=timedelta(seconds=45))
    async def provision(session: AsyncSession, run_id: UUID) -> None:
        """Work a provisioning run off; it keeps its own record, step by step."""
        await outside(session, lambda: provisioner.run(run_id))

    return (provision,)
