"""Make an archive of a tenant as it is: which tables and revisions, and from which snapshot."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from core.errors import NotFound, Unavailable
from core.i18n import _
from core.scope import Tenant
from core.storage.keys import folder_of_plugin
from tenants.archive.manifest import About, Manifest, SenderOfMail
from tenants.archive.sealing import ArchiveKey
from tenants.archive.tables import carried, insist_on_all
from tenants.archive.writing import Contents, Told, write
from tenants.bootstrap import OWNER
from tenants.catalogue import describe
from tenants.databases import Place
from tenants.means import Means
from tenants.migration.lines import CORE
from tenants.models import DatabaseRecord, TenantPlugin, TenantRecord
from tenants.scopes import connected
from tenants.senders.models import MailSender


class MigratedMeanwhile(Unavailable):
    """The tenant was migrated while its archive was begun; the next attempt will do."""

    title = _("This business is just being upgraded")


async def make_archive(
    means: Means,
    tenant_id: UUID,
    to: Path,
    key: ArchiveKey,
    told: Told,
    *,
    plugin: str | None = None,
    leave: bool = False,
) -> Manifest:
    """Write an archive of a tenant, or of one ``plugin``'s tables; ``leave`` leaves out secrets
    that are for nobody else (see ``Contents``).

    It may take long and holds a snapshot meanwhile, so it is for jobs and commands. Killed, it
    leaves nothing but an unfinished file that the next attempt replaces.

    Raises:
        NotFound: there is no such tenant.
        MigratedMeanwhile: try again.
        UnknownTable: a plugin whose tables are there is not installed here.
    """
    tenant, place, about, chosen, off = await _described(means, tenant_id)
    names = {plugin} if plugin else {CORE, *chosen}
    before = await _revisions(place, tenant.scope.name)
    async with means.databases.transaction(tenant) as session:
        await session.connection()  # has the tenant's keys at hand
    async with means.databases.snapshot(tenant) as connection:
        await insist_on_all(connection)
        if before != await _revisions(place, tenant.scope.name):
            raise MigratedMeanwhile
        working = means.plugins.working
        contents = Contents(
            tenant=tenant,
            about=about,
            tables=carried(names),
            store=means.store,
            under=folder_of_plugin(plugin) if plugin else "",
            plugins={name: working[name].version for name in sorted(chosen) if name in names},
            off=tuple(name for name in sorted(off) if name in names),
            lines={name: at for name, at in sorted(before.items()) if name in names},
            leave=leave,
        )
        return await write(connection, to, contents, key, told)


async def _described(
    means: Means, tenant_id: UUID
) -> tuple[Tenant, Place, About, frozenset[str], frozenset[str]]:
    """The tenant, where it is, what is said of it, its products, and those that are off."""
    async with means.databases.transaction(means.platform) as session:
        rows = await session.execute(
            select(TenantRecord, DatabaseRecord)
            .outerjoin(DatabaseRecord, DatabaseRecord.name == TenantRecord.database)
            .where(TenantRecord.id == tenant_id)
        )
        row = rows.one_or_none()
        if row is None:
            raise NotFound
        states = await session.execute(
            select(TenantPlugin.plugin, TenantPlugin.state).where(
                TenantPlugin.tenant_id == tenant_id, TenantPlugin.state != "installing"
            )
        )
        chosen = {row.plugin: row.state for row in states}
        sender = await session.scalar(select(MailSender).where(MailSender.tenant_id == tenant_id))
    record: TenantRecord = row[0]
    about = About(
        id=str(record.id),
        slug=record.slug,
        name=record.name,
        zone=record.zone,
        currency=record.currency,
        locale=record.locale,
        country=record.country,
        color=record.color,
        logo=record.logo,
        hosting=record.hosting,
        sender=_named(sender) if sender else None,
    )
    tenant = describe(means.settings, means.lines, record, row[1], tuple(chosen), None)
    off = frozenset(name for name, state in chosen.items() if state == "disabled")
    return tenant, Place.of(means.settings, row[1]), about, frozenset(chosen), off


def _named(sender: MailSender) -> SenderOfMail:
    return SenderOfMail(address=sender.address, name=sender.name, reply_to=sender.reply_to)


async def _revisions(place: Place, scope: str) -> dict[str, str]:
    """The revision of each line that a scope has."""
    async with connected(place.provisioner_url) as connection, connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {OWNER}")
        rows = await connection.fetch(
            "SELECT line, revision FROM migrations.applied WHERE scope = $1", scope
        )
    return {row["line"]: row["revision"] for row in rows}
