"""Exports: an owner asks for an archive, a job writes it, it is fetched, and expires."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import mail
from core.audit import services as audit
from core.auth.models import User
from core.clock import now
from core.crypto import open_platform, seal_platform
from core.db import outside
from core.errors import Conflict, NotFound
from core.i18n import _
from core.ids import new_id
from core.jobs import put
from tenants import notices
from tenants.archive.making import make_archive
from tenants.archive.sealing import ArchiveKey
from tenants.files import archive_file
from tenants.lifecycle.statuses import Status, locked
from tenants.means import Means
from tenants.models import Export, TenantRecord

log = structlog.get_logger(__name__)

EXPORT: Final = "tenants.export"
"""The job of tenant zero that writes an archive."""
KEPT: Final = timedelta(days=7)
_TELL_EVERY: Final = 0.5
"""Seconds between two notes of the progress."""
_EXPORTABLE: Final = frozenset({Status.ACTIVE, Status.SUSPENDED, Status.CLOSED})


async def ask(
    session: AsyncSession,
    tenant_id: UUID,
    key: ArchiveKey,
    *,
    account_id: UUID | None,
    locale: str,
    plugin: str | None = None,
) -> UUID:
    """Ask for an archive of a tenant, sealed by ``key``; the id of the export.

    Raises:
        Conflict: one is being made, or the tenant is not in a state to be read.
    """
    tenant = await locked(session, tenant_id)
    if tenant.status not in _EXPORTABLE:
        raise Conflict(_("The present status of this business does not allow it"))
    before = await latest(session, tenant_id, plugin)
    if before is not None and before.state in {"waiting", "running"}:
        raise Conflict(_("An export is being made already"))
    export = Export(
        id=new_id(),
        tenant_id=tenant_id,
        plugin=plugin,
        account_id=account_id,
        locale=locale,
        salt=key.salt,
    )
    export.key = seal_platform(key.secret.hex(), "exports", str(export.id), "key")
    session.add(export)
    await session.flush()
    await put(session, EXPORT, {"export_id": export.id}, key=str(export.id))
    detail = {"export": export.id, "product": plugin}
    await audit.record(session, "tenants.export_asked", "tenant", tenant_id, detail)
    return export.id


async def latest(
    session: AsyncSession, tenant_id: UUID, plugin: str | None = None
) -> Export | None:
    """The newest export of a tenant, or of one of its products."""
    query = (
        select(Export)
        .where(Export.tenant_id == tenant_id, Export.plugin.is_not_distinct_from(plugin))
        .order_by(Export.id.desc())
        .limit(1)
    )
    found: Export | None = await session.scalar(query.execution_options(populate_existing=True))
    return found


async def fetched(session: AsyncSession, tenant_id: UUID, plugin: str | None = None) -> Export:
    """The newest archive that is ready, noted as being fetched.

    Raises:
        NotFound: there is none, or it has expired.
    """
    export = await latest(session, tenant_id, plugin)
    if export is None or export.state != "ready":
        raise NotFound
    await audit.record(
        session, "tenants.export_fetched", "tenant", tenant_id, {"export": export.id}
    )  # fmt: skip
    return export


@dataclass(frozen=True, slots=True)
class Exporter:
    """Writes archives. One serves a whole process."""

    means: Means

    async def run(self, session: AsyncSession, export_id: UUID) -> Export | None:
        """Write an archive and tell whoever asked; None if that was done before."""
        export = await session.get(Export, export_id)
        if export is None or export.key is None:
            return None
        secret = open_platform(export.key, "exports", str(export_id), "key")
        key = ArchiveKey(bytes.fromhex(secret), export.salt)
        export.state, export.error = "running", None
        try:
            size = await outside(session, lambda: self._write(export, key))
        except Exception as problem:
            log.exception("export.failed", export=str(export_id))
            await self._note(export_id, state="failed", error=type(problem).__name__)
            raise
        return await self._finish(session, export_id, size)

    async def _write(self, export: Export, key: ArchiveKey) -> int:
        to = archive_file(self.means.settings, export.tenant_id, export.id)
        told_at = 0.0

        async def told(tables: int, total: int, rows: int) -> None:
            nonlocal told_at
            if time.monotonic() - told_at > _TELL_EVERY:
                told_at = time.monotonic()
                await self._note(export.id, tables_done=tables, tables_total=total, rows=rows)

        manifest = await make_archive(
            self.means, export.tenant_id, to, key, told, plugin=export.plugin
        )
        count = len(manifest.tables)
        rows = sum(each.count for each in manifest.tables)
        await self._note(export.id, tables_done=count, tables_total=count, rows=rows)
        return (await asyncio.to_thread(to.stat)).st_size

    async def _note(self, export_id: UUID, **values: object) -> None:
        async with self.means.databases.transaction(self.means.platform) as session:
            await session.execute(update(Export).where(Export.id == export_id).values(**values))

    async def _finish(self, session: AsyncSession, export_id: UUID, size: int) -> Export:
        export = await session.get_one(Export, export_id, populate_existing=True)
        export.state, export.key, export.size = "ready", None, size
        export.finished_at, export.expires_at = now(), now() + KEPT
        await session.flush()
        tenant = await session.get_one(TenantRecord, export.tenant_id)
        account = await session.get(User, export.account_id) if export.account_id else None
        page = f"products/{export.plugin}/removal" if export.plugin else "upkeep"
        if account is not None:
            await mail.send(
                session,
                "portal/mail/export_ready",
                account.email,
                {
                    "name": account.name,
                    "business": tenant.name,
                    "url": f"{self.means.settings.public_url}/businesses/{tenant.id}/{page}",
                    "days": KEPT.days,
                },
                locale=export.locale,
                key=f"tenant:{tenant.id}:export:{export.id}",
            )
            until = export.expires_at
            assert until is not None
            await notices.tell(
                session, notices.EXPORT_READY, tenant.id, f"/{page}", to=[account.id], until=until
            )
        return export

    async def purge(self, session: AsyncSession) -> None:
        """Remove the archives whose time is over."""
        over = (
            await session.scalars(
                select(Export)
                .where(Export.state == "ready", Export.expires_at <= now())
                .with_for_update(skip_locked=True)
            )
        ).all()
        await self._remove(over)
        for export in over:
            export.state, export.expires_at = "expired", None
        await session.flush()

    async def _remove(self, exports: Sequence[Export]) -> None:
        for each in exports:
            file = archive_file(self.means.settings, each.tenant_id, each.id)
            await asyncio.to_thread(file.unlink, missing_ok=True)
