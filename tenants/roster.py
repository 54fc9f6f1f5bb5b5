"""Who and where they all are: for the processes that look after every tenant and database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.db import Databases
from core.scope import Database, Tenant
from core.settings import Settings
from tenants.catalogue import EVERYONE, describe
from tenants.databases import places, platform
from tenants.migration.lines import Lines
from tenants.models import TenantRecord


@dataclass(frozen=True, slots=True)
class Roster:
    """Where everybody is: what the relay goes by."""

    settings: Settings
    databases: Databases

    async def outboxes(self) -> Sequence[Database]:
        """Every database that holds scopes, as the relay logs in to it."""
        async with self.databases.transaction(platform(self.settings)) as session:
            known = await places(session, self.settings)
        return [Database(place.name, place.relay_url) for place in known]


@dataclass(frozen=True, slots=True)
class Served:
    """Who everybody is whom this code can serve: what the scheduler goes by."""

    settings: Settings
    databases: Databases
    lines: Lines

    async def active(self) -> Sequence[Tenant]:
        """Every tenant that may be served, tenant zero included."""
        zero = platform(self.settings)
        async with self.databases.transaction(zero) as session:
            rows = await session.execute(
                EVERYONE.where(TenantRecord.status == "active").order_by(TenantRecord.id)
            )
            found = [describe(self.settings, self.lines, *row) for row in rows]
        return [zero, *(each for each in found if each.status == "active")]
