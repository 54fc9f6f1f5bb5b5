"""Delete a tenant: step by step, each recorded, each safe to repeat, until nothing is left.

Killed anywhere, it is taken up at the first step that is not recorded as done. What remains in
the end is the address, reserved for a time, and that somebody of this id was deleted when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import asyncpg
from redis.asyncio import Redis
from sqlalchemy import Column, Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import crypto, mail
from core.audit import services as audit
from core.db import Base
from core.mail.models import Mail
from core.notifications.services import forget_subject
from core.scope import PLATFORM_SCHEMA, scope_name
from tenants import notices, runs
from tenants.bootstrap import OWNER
from tenants.changes import announce, announce_gone
from tenants.databases import Place
from tenants.files import archives_of, forget_folder
from tenants.lifecycle.closing import owners_of
from tenants.lifecycle.naming import reserve
from tenants.means import Means
from tenants.models import DatabaseRecord, FormerSlug, ProvisioningRun, TenantRecord
from tenants.scopes import connected, drop_role, drop_schema

RESERVED: Final = timedelta(days=180)
"""For how long nobody may take a deleted tenant's address: links and habits outlive it."""
_SCANNED: Final = 1000


@dataclass(frozen=True, slots=True)
class _Doomed:
    tenant_id: UUID
    slug: str
    place: Place

    @property
    def scope(self) -> str:
        return scope_name(self.tenant_id)


@dataclass(frozen=True, slots=True)
class Deleter:
    """Works deletions off. One serves a whole process."""

    means: Means

    async def run(self, run_id: UUID) -> None:
        """Work a deletion off from where it stands; one that is over is passed over.

        Raises:
            Exception: whatever stopped a step; it is recorded, and ``run`` may be called again.
        """
        async with self.means.of_the_platform() as session:
            doomed = await self._read(session, run_id)
            if doomed is None:
                return
            run = await runs.begin(session, run_id, doomed.tenant_id)
        await runs.work_off(run, self.means.of_the_platform, partial(self._perform, doomed))

    async def _read(self, session: AsyncSession, run_id: UUID) -> _Doomed | None:
        rows = await session.execute(
            select(TenantRecord, DatabaseRecord)
            .join(ProvisioningRun, ProvisioningRun.tenant_id == TenantRecord.id)
            .outerjoin(DatabaseRecord, DatabaseRecord.name == TenantRecord.database)
            .where(ProvisioningRun.id == run_id, TenantRecord.status == "deleting")
        )
        row = rows.one_or_none()
        if row is None:
            return None
        record: TenantRecord = row[0]
        return _Doomed(record.id, record.slug, Place.of(self.means.settings, row[1]))

    async def _perform(self, doomed: _Doomed, name: str) -> None:
        match name:
            case "schema" | "role" | "outbox":
                async with connected(doomed.place.provisioner_url) as connection:
                    await self._demolish(connection, doomed, name)
            case "files":
                await self.means.store.clear(doomed.tenant_id)
                archives = archives_of(self.means.settings, doomed.tenant_id)
                await asyncio.to_thread(forget_folder, archives)
            case "redis":
                await _forget_in_redis(self.means.settings.redis_url, doomed.tenant_id)
            case "traces":
                await self._blur_traces(doomed)
            case "catalogue":
                await self._strike_out(doomed)
            case _:
                raise ValueError(f"there is no step {name!r}")

    async def _demolish(self, connection: asyncpg.Connection, doomed: _Doomed, name: str) -> None:
        if name == "schema":
            await drop_schema(connection, doomed.scope)
        elif name == "role":
            await drop_role(connection, doomed.scope, login=doomed.place.login)
        else:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '5s'; SET LOCAL ROLE {OWNER}")
                await connection.execute(
                    "DELETE FROM outbox.messages WHERE tenant = $1", doomed.tenant_id
                )

    async def _blur_traces(self, doomed: _Doomed) -> None:
        """What the platform itself wrote about it: letters go; of its log, what was said."""
        async with self.means.of_the_platform() as session:
            ours = Mail.key.like(f"tenant:{doomed.tenant_id}:%")
            await session.execute(delete(Mail).where(ours))
            # The letter of a morning may name several businesses.
            for account_id in await notices.told_of(session, doomed.tenant_id):
                mornings = Mail.key.like(f"digest:{account_id}:%")
                await session.execute(delete(Mail).where(mornings))
            await forget_subject(session, notices.SUBJECT, doomed.tenant_id)
        # The log is only ever added to, by its own role; the owner of the table may do more.
        async with (
            connected(self.means.settings.provisioner_url) as connection,
            connection.transaction(),
        ):
            await connection.execute(f"SET LOCAL ROLE {OWNER}")
            await connection.execute(
                f"UPDATE {PLATFORM_SCHEMA}.audit_entries SET detail = '{{}}'"  # noqa: S608
                " WHERE subject_type = 'tenant' AND subject_id = $1 AND detail <> '{}'",
                str(doomed.tenant_id),
            )

    async def _strike_out(self, doomed: _Doomed) -> None:
        """Every row of the catalogue; the address stays reserved, and its owners are told."""
        async with self.means.of_the_platform() as session:
            tenant = await session.get_one(TenantRecord, doomed.tenant_id, with_for_update=True)
            owners = await owners_of(session, tenant.id)
            database, locale = tenant.database, tenant.locale
            await session.execute(
                update(FormerSlug)
                .where(FormerSlug.tenant_id == tenant.id)
                .values(tenant_id=None)
                .execution_options(synchronize_session=False)
            )
            await reserve(session, doomed.slug, None, RESERVED)
            await _delete_rows(session, tenant.id)
            session.expunge(tenant)
            await session.execute(delete(TenantRecord).where(TenantRecord.id == doomed.tenant_id))
            if database is not None:
                own = DatabaseRecord.name == database, DatabaseRecord.login.is_not(None)
                await session.execute(delete(DatabaseRecord).where(*own))
                announce_gone(session, self.means.signals, database)
            announce(session, self.means.signals, doomed.tenant_id)
            await audit.record(session, "tenants.deleted", "tenant", doomed.tenant_id)
            for owner in owners:
                await mail.send(
                    session,
                    "portal/mail/deleted",
                    owner.email,
                    {"name": owner.name, "address": doomed.slug},
                    locale=owner.locale or locale,
                )
        crypto.installed().forget(doomed.tenant_id)


async def _delete_rows(session: AsyncSession, tenant_id: UUID) -> None:
    """The tenant's rows in every table of the platform that has such, also of those to come:
    found by their column ``tenant_id``, or by what they refer to."""
    tables = [each for each in Base.metadata.sorted_tables if each.info.get("line") == "platform"]
    for table in reversed(tables):
        if table.name == "tenants":
            continue
        if "tenant_id" in table.c:
            await session.execute(delete(table).where(table.c.tenant_id == tenant_id))
            continue
        for column, parent in _owners(table):
            mine = select(parent.c.id).where(parent.c.tenant_id == tenant_id)
            await session.execute(delete(table).where(column.in_(mine)))


def _owners(table: Table) -> Iterator[tuple[Column[Any], Any]]:
    """The columns by which a table's rows belong to rows of a tenant."""
    for key in table.foreign_keys:
        if "tenant_id" in key.column.table.c and key.column.name == "id":
            yield key.parent, key.column.table


async def _forget_in_redis(url: str, tenant_id: UUID) -> None:
    """Every key of a tenant bears its id."""
    async with Redis.from_url(url, socket_timeout=10, socket_connect_timeout=5) as redis:
        for written in (str(tenant_id), tenant_id.hex):
            found = [key async for key in redis.scan_iter(f"*{written}*", count=_SCANNED)]
            for start in range(0, len(found), _SCANNED):
                await redis.unlink(*found[start : start + _SCANNED])
