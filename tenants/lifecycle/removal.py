"""Taking a product away with its data: an archive of it first, then its tables go."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import asyncpg
from sqlalchemy import delete, func, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.errors import Conflict, NotFound
from core.i18n import _
from core.jobs import put
from core.plugin_settings.models import PluginSettings, SettingsVersion
from core.signals import Signals
from core.storage.models import StoredFile
from tenants import exports
from tenants.archive.sealing import ArchiveKey
from tenants.archive.tables import quoted, tables_of
from tenants.changes import announce
from tenants.lifecycle.ordering import PROVISION
from tenants.lifecycle.statuses import locked
from tenants.models import MigrationStatus, Seed, TenantPlugin
from tenants.runs import note_run
from tenants.scopes import owning


async def ask(
    session: AsyncSession,
    tenant_id: UUID,
    plugin: str,
    key: ArchiveKey,
    *,
    account_id: UUID | None,
    locale: str,
) -> UUID:
    """Have a product that is off removed, once an archive of its tables, sealed by ``key``, is
    written; the id of the export.

    Raises:
        NotFound: the tenant never had it.
        Conflict: it is on, or its removal is under way.
    """
    await insist_off(session, tenant_id, plugin)
    export_id = await exports.ask(
        session, tenant_id, key, account_id=account_id, locale=locale, plugin=plugin
    )
    detail = {"product": plugin}
    await audit.record(session, "tenants.product_removal_asked", "tenant", tenant_id, detail)
    return export_id


async def insist_off(session: AsyncSession, tenant_id: UUID, plugin: str) -> None:
    """Mark a product that is off as being removed, so that nobody turns it on meanwhile.

    Raises:
        NotFound: the tenant never had it.
        Conflict: it is on, or its removal is under way.
    """
    await locked(session, tenant_id)
    chosen = await session.get(TenantPlugin, (tenant_id, plugin), populate_existing=True)
    if chosen is None:
        raise NotFound
    if chosen.state not in {"disabled", "removing"}:
        raise Conflict(_("Turn the product off first"))
    chosen.state = "removing"
    await session.flush()


async def begin(session: AsyncSession, tenant_id: UUID, plugin: str) -> UUID:
    """Once its archive is written: ask for the job that drops its tables; the id of the run."""
    run_id = await note_run(session, tenant_id, [f"remove:{plugin}", "activate"])
    await put(session, PROVISION, {"run_id": run_id}, key=str(run_id))
    return run_id


_FUNCTIONS: Final = """
SELECT oid::regprocedure::text AS signature FROM pg_proc
WHERE pronamespace = to_regnamespace(quote_ident($1)) AND starts_with(proname, $2)
"""


async def drop_tables(connection: asyncpg.Connection, scope: str, plugin: str) -> None:
    """Drop every table and function of a product in a scope, and forget its migrations there."""
    async with owning(connection, scope):
        for name in reversed(tables_of(plugin)):
            await connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
        for row in await connection.fetch(_FUNCTIONS, scope, f"{plugin}_"):
            await connection.execute(f"DROP FUNCTION {row['signature']}")
        await connection.execute(
            "DELETE FROM migrations.applied WHERE scope = $1 AND line = $2", scope, plugin
        )


async def forget_settings(session: AsyncSession, plugin: str) -> None:
    """In the tenant's scope: its settings, that it was seeded, the rows of its files, and its
    turns. ``session`` is the tenant's."""
    for kept in (SettingsVersion, PluginSettings):
        await session.execute(delete(kept).where(kept.plugin == plugin))
    own = f"{plugin}."  # no pattern of LIKE: to that, the underscore of a name is any letter
    await session.execute(delete(Seed).where(func.starts_with(Seed.name, own)))
    await session.execute(delete(StoredFile).where(func.starts_with(StoredFile.area, own)))
    turns = text("DELETE FROM schedule_runs WHERE starts_with(name, :own)")
    await session.execute(turns, {"own": own})


async def strike_out(session: AsyncSession, signals: Signals, tenant_id: UUID, plugin: str) -> None:
    """In the catalogue: as if the tenant had never had it."""
    chosen = (TenantPlugin.tenant_id == tenant_id, TenantPlugin.plugin == plugin)
    await session.execute(delete(TenantPlugin).where(*chosen))
    status = (MigrationStatus.tenant_id == tenant_id, MigrationStatus.line == plugin)
    await session.execute(delete(MigrationStatus).where(*status))
    announce(session, signals, tenant_id)
    detail = {"product": plugin}
    await audit.record(session, "tenants.product_removed", "tenant", tenant_id, detail)
