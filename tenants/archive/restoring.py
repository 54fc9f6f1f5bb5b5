"""The steps of a run that fill a tenant: from an archive there is, or from another tenant."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import asyncpg

from core.payments.services import accounts
from core.scope import Tenant
from tenants.archive.loading import load
from tenants.archive.making import make_archive
from tenants.archive.reading import opened
from tenants.lifecycle.restoring import Source
from tenants.means import Means
from tenants.migration.lines import CORE
from tenants.migration.replay import bring_up
from tenants.scopes import spread_role


@dataclass(frozen=True, slots=True)
class Restoring:
    """What provisioning does with the source of a run; each step is safe to repeat."""

    means: Means

    async def snapshot(self, source: Source) -> None:
        """Make the archive of the tenant that is copied."""

        async def told(_tables: int, _total: int, _rows: int) -> None:
            """A copy is followed by its steps."""

        assert source.copy_of is not None
        await make_archive(
            self.means, source.copy_of, source.file, source.opened_key, told, leave=True
        )

    async def layout(self, source: Source, tenant: Tenant, connection: asyncpg.Connection) -> None:
        """Lay the tables out as they were when the archive was made."""
        async with opened(source.file) as archive:
            lines = archive.manifest.lines
        for name in sorted(lines, key=lambda each: (each != CORE, each)):
            line = self.means.lines.by_name[name].until(lines[name])
            await bring_up(connection, tenant.scope.name, line)
        await spread_role(connection, tenant.scope.name)

    async def load(self, source: Source, tenant: Tenant) -> None:
        """Put rows and files in their places."""
        async with opened(source.file) as archive:
            async with self.means.databases.transaction(tenant) as session:
                filled = await load(session, archive, source.opened_key)
                if filled and source.copy_of is not None:
                    await accounts.disown(session)
            await archive.pour_files(self.means.store, tenant.id)

    async def discard(self, source: Source) -> None:
        """Remove an archive that was made for this run alone."""
        await asyncio.to_thread(source.file.unlink, missing_ok=True)
