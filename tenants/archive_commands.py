"""``atrium tenants export``, ``import`` and ``clone``."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click
import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.auth.models import User
from core.permissions import Role
from tenants.archive.making import make_archive
from tenants.archive.reading import Archive
from tenants.archive.sealing import ArchiveKey
from tenants.lifecycle import Order, Owner, removal, restoring
from tenants.models import Membership, ProvisioningRun, TenantRecord
from tenants.working import change, id_of, tenants, with_workshop
from tenants.workshop import Workshop

_ARCHIVE = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
_PASSPHRASE = click.option(
    "--passphrase",
    envvar="ATRIUM_ARCHIVE_PASSPHRASE",
    prompt=True,
    hide_input=True,
    help="Seals what is private in the archive; 12 characters or more.",
)


@tenants.command("export")
@click.argument("slug")
@click.argument("file", type=click.Path(dir_okay=False, resolve_path=True, path_type=Path))
@click.option(
    "--like",
    type=_ARCHIVE,
    help="An archive with the same passphrase, to compare checksums with.",
)
@_PASSPHRASE
def export_tenant(slug: str, file: Path, like: Path | None, passphrase: str) -> None:
    """Write everything a tenant has into a zip."""

    async def work(shop: Workshop) -> None:
        key = await ArchiveKey.of(passphrase)
        if like is not None:
            with Archive.open(like) as other:
                key = await _key_of(other, passphrase)
        async with shop.databases.transaction(shop.platform) as session:
            tenant_id = await id_of(session, slug)
            await audit.record(session, "tenants.export_asked", "tenant", tenant_id)
        means = shop.provisioner.means
        manifest = await make_archive(means, tenant_id, file, key, _told)
        click.echo(f"\n{file}: {len(manifest.tables)} tables, {len(manifest.files)} files")

    with_workshop(work)


@tenants.command("import")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
)
@click.argument("slug")
@click.option("--owner", required=True, help="E-mail address of the owner; kept if in the archive.")
@click.option("--database", help="A database of the catalogue that has no tenant yet.")
@_PASSPHRASE
def import_tenant(file: Path, slug: str, owner: str, database: str | None, passphrase: str) -> None:
    """Make a new tenant of an archive. Killed, it goes on when it is called again."""

    async def work(shop: Workshop) -> None:
        with Archive.open(file) as archive:
            archive.insist_on_software(shop.plugins, shop.lines)
            key = await _key_of(archive, passphrase)
            archive.check()
        async with shop.databases.transaction(shop.platform) as session:
            run_id = await _unfinished(session, slug, file)
            if run_id is None:
                wanted = await _order(session, archive, slug, owner, database)
                made = await restoring.note_import(session, wanted, file, key)
                run_id = made.run_id
        tenant = await shop.provisioner.run(run_id)
        click.echo(f"{tenant.name} lives at {shop.settings.tenant_url(tenant.slug)}")

    with_workshop(work)


@tenants.command()
@click.argument("slug")
@click.argument("new_slug")
@click.option("--name", required=True, help="What the copy is called.")
def clone(slug: str, new_slug: str, name: str) -> None:
    """Copy a tenant, muted and without its keys for payments; a worker makes the copy."""

    async def work(shop: Workshop) -> None:
        async with shop.databases.transaction(shop.platform) as session:
            tenant_id = await id_of(session, slug)
            owner = await _owner_of(session, tenant_id)
            await restoring.clone(session, shop.settings, tenant_id, new_slug, name, owner)
        click.echo(f"A copy is being made at {shop.settings.tenant_url(new_slug)}")

    with_workshop(work)


async def _key_of(archive: Archive, passphrase: str) -> ArchiveKey:
    key = await ArchiveKey.of(passphrase, archive.manifest.lock.opened_salt)
    key.insist_on(archive.manifest.lock)
    return key


async def _order(
    session: AsyncSession, archive: Archive, slug: str, owner: str, database: str | None
) -> Order:
    about = archive.manifest.tenant
    account = await session.scalar(select(User).where(User.email == owner.lower()))
    return Order(
        slug=slug,
        name=about.name,
        zone=about.zone,
        currency=about.currency,
        locale=about.locale,
        color=about.color,
        logo=about.logo,
        country=about.country,
        plugins=tuple(sorted(archive.manifest.plugins)),
        off=archive.manifest.off,
        owner=Owner(
            email=owner,
            name=account.name if account else owner,
            account_id=account.id if account else None,
        ),
        hosting="dedicated" if database else "pooled",
        database=database,
    )


async def _unfinished(session: AsyncSession, slug: str, file: Path) -> UUID | None:
    """The run of an import of the same file to the same address that was left unfinished."""
    rows = await session.execute(
        select(ProvisioningRun.id, ProvisioningRun.source)
        .join(TenantRecord, TenantRecord.id == ProvisioningRun.tenant_id)
        .where(TenantRecord.slug == slug, ProvisioningRun.state != "done")
    )
    for run_id, source in rows:
        if source and msgspec.convert(source, restoring.Source).file == file:
            return UUID(str(run_id))
    return None


async def _owner_of(session: AsyncSession, tenant_id: UUID) -> Owner:
    """An owner of the tenant, who will own the copy.

    Raises:
        ClickException: nobody in the portal owns it.
    """
    row = (
        await session.execute(
            select(User.id, User.email, User.name, Membership.user_id)
            .join(Membership, Membership.account_id == User.id)
            .where(Membership.tenant_id == tenant_id, Membership.role == Role.OWNER.value)
            .limit(1)
        )
    ).one_or_none()
    if row is None:
        raise click.ClickException("nobody in the portal owns this tenant")
    return Owner(email=row.email, name=row.name, account_id=row.id, user_id=row.user_id)


@tenants.command()
@click.argument("slug")
def unmute(slug: str) -> None:
    """Let a copy send letters from now on."""
    change(slug, restoring.unmute)


@tenants.command()
@click.argument("slug")
@click.argument("plugin")
@click.argument("file", type=click.Path(dir_okay=False, resolve_path=True, path_type=Path))
@click.option("--confirm", prompt="Its data goes for good. Type the tenant's address to confirm")
@_PASSPHRASE
def uninstall(slug: str, plugin: str, file: Path, confirm: str, passphrase: str) -> None:
    """Write an archive of a product that is off, then remove the product with its data."""
    if confirm != slug:
        raise click.ClickException("that is not its address; nothing was done")

    async def work(shop: Workshop) -> None:
        key = await ArchiveKey.of(passphrase)
        async with shop.databases.transaction(shop.platform) as session:
            tenant_id = await id_of(session, slug)
            await removal.insist_off(session, tenant_id, plugin)
        means = shop.provisioner.means
        await make_archive(means, tenant_id, file, key, _told, plugin=plugin)
        async with shop.databases.transaction(shop.platform) as session:
            run_id = await removal.begin(session, tenant_id, plugin)
        await shop.provisioner.run(run_id)
        click.echo(f"\n{plugin} is removed; {file} has what was in it")

    with_workshop(work)


async def _told(tables: int, total: int, rows: int) -> None:
    click.echo(f"\r{tables} of {total} tables, {rows} rows", nl=False, err=True)
