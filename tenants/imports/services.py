"""An archive's way from its sender to a business of theirs.

``begin`` notes that one comes, and it is written to disk with no transaction open; ``came``
notes that it is there and asks for the job that checks it; ``order`` makes a business of it.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import and_, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.auth.identity import Identity
from core.clock import now
from core.db import outside
from core.errors import Conflict, NotFound, TooManyRequests, Unavailable
from core.i18n import _, locale
from core.ids import new_id
from core.jobs import put
from core.settings import Settings
from tenants.archive.manifest import Manifest
from tenants.archive.reading import Archive
from tenants.archive.sealing import ArchiveKey
from tenants.archive.vetting import Summary, harmless
from tenants.files import upload_file, uploads_of
from tenants.imports.models import ArchiveUpload
from tenants.lifecycle import Order, Ordered, Owner, restoring
from tenants.models import ProvisioningRun

CHECK: Final = "tenants.check_upload"
"""The job of tenant zero that looks at an archive that has come."""
KEPT: Final = timedelta(days=1)
UNPACKED: Final = 20
"""To so many times the largest archive may one unpack."""
TRIED_FOR: Final = timedelta(days=7)
"""A business that could not be made of its archive by then needs to be sent another."""
A_DAY: Final = 10
"""Businesses that one account may make of archives: each is a schema, and files on our disk."""
LEFT_FREE: Final = 1_000_000_000
"""Bytes of the disk that no upload may take."""


class TooManyImports(TooManyRequests):
    """Another one tomorrow."""

    code = "too_many_imports"
    title = _("You have made 10 businesses of archives within a day; please go on tomorrow")


class DiskFull(Unavailable):
    """There is no room for another archive."""

    title = _("There is no room for an archive of this size just now; please try again later")


async def begin(
    session: AsyncSession, settings: Settings, account_id: UUID, announced: int
) -> UUID:
    """Note that an account begins to send an archive of ``announced`` bytes; its id. What it
    sent before and did not use is removed, and what it is still sending breaks off: one at a time.

    Raises:
        DiskFull: the disk has no room for it.
    """
    old = await session.scalars(
        delete(ArchiveUpload)
        .where(ArchiveUpload.account_id == account_id, ArchiveUpload.state != "ordered")
        .returning(ArchiveUpload.id)
    )
    gone = [path for each in old for path in _files(settings, each)]
    upload = ArchiveUpload(
        id=new_id(), account_id=account_id, locale=locale(), expires_at=now() + KEPT
    )
    session.add(upload)
    await session.flush()
    folder = upload_file(settings, upload.id).parent
    free = await outside(session, lambda: asyncio.to_thread(_make_room, folder, gone))
    if free < announced + LEFT_FREE:
        raise DiskFull
    return upload.id


async def came(
    session: AsyncSession, settings: Settings, upload_id: UUID, name: str, size: int
) -> None:
    """Note that the archive, ``size`` bytes that its sender calls ``name``, is on disk, and have
    it checked.

    Raises:
        NotFound: another one was begun meanwhile; this one is removed.
    """
    upload = await session.get(ArchiveUpload, upload_id, with_for_update=True)
    if upload is None:
        await asyncio.to_thread(upload_file(settings, upload_id).unlink, missing_ok=True)
        raise NotFound
    upload.state, upload.size = "checking", size
    upload.name = _printable(name)
    await session.flush()
    await put(session, CHECK, {"upload_id": upload_id}, key=str(upload_id))
    detail = {"upload": upload_id, "size": size}
    await audit.record(session, "tenants.archive_sent", "archive_upload", upload_id, detail)


async def latest(session: AsyncSession, account_id: UUID) -> ArchiveUpload | None:
    """What the account has sent and not used or removed."""
    query = (
        select(ArchiveUpload)
        .where(
            ArchiveUpload.account_id == account_id,
            ArchiveUpload.state.in_(("checking", "refused", "ready")),
        )
        .order_by(ArchiveUpload.id.desc())
        .limit(1)
    )
    found: ArchiveUpload | None = await session.scalar(query)
    return found


async def one(session: AsyncSession, account_id: UUID, upload_id: UUID) -> ArchiveUpload:
    """An archive that the account has sent.

    Raises:
        NotFound: it is another's, removed, or not here yet.
    """
    found = await session.get(ArchiveUpload, upload_id, populate_existing=True)
    if found is None or found.account_id != account_id or found.state == "receiving":
        raise NotFound
    return found


async def order(
    session: AsyncSession,
    settings: Settings,
    upload: ArchiveUpload,
    person: Identity,
    *,
    name: str,
    slug: str,
    passphrase: str,
) -> Ordered:
    """Make a business of an archive that was found good; ``person`` will own it.

    Raises:
        Conflict: it was not found good, or was used before.
        Invalid, SlugTaken: naming the fields ``name``, ``slug`` or ``passphrase``.
        TooManyImports: the account has made as many as a day allows.
    """
    upload_id, file = upload.id, upload_file(settings, upload.id)
    manifest, key = await outside(session, lambda: _opened(file, passphrase))
    upload = await session.get_one(
        ArchiveUpload, upload_id, with_for_update=True, populate_existing=True
    )
    if upload.state != "ready":
        raise Conflict(_("This archive cannot be used any more; please send it again"))
    if await audit.done_since(session, restoring.IMPORTED, now() - timedelta(days=1)) >= A_DAY:
        raise TooManyImports(retry_after=60 * 60)
    about = harmless(manifest.tenant)
    wanted = Order(
        slug=slug,
        name=name,
        zone=about.zone,
        currency=about.currency,
        locale=about.locale,
        color=about.color,
        logo=about.logo,
        country=about.country,
        plugins=tuple(sorted(manifest.plugins)),
        off=manifest.off,
        owner=Owner(email=person.email, name=person.name, account_id=person.user_id),
    )
    ordered = await restoring.order_import(session, wanted, file, key)
    upload.state, upload.tenant_id = "ordered", ordered.tenant_id
    await session.flush()
    return ordered


async def remove(session: AsyncSession, settings: Settings, upload: ArchiveUpload) -> None:
    """Forget an archive that no business is made of.

    Raises:
        Conflict: one is.
    """
    if upload.state == "ordered":
        raise Conflict(_("A business is being made of this archive"))
    file = upload_file(settings, upload.id)
    await session.delete(upload)
    await session.flush()
    await asyncio.to_thread(file.unlink, missing_ok=True)


async def purge(session: AsyncSession, settings: Settings) -> None:
    """Remove what was sent a day ago, save what a business is still being made of, for some more
    days; and files of which nothing is known, as of a business that was deleted half-made."""
    run = ProvisioningRun
    in_use = and_(
        ArchiveUpload.expires_at > now() - TRIED_FOR,
        exists().where(run.tenant_id == ArchiveUpload.tenant_id, run.state != "done"),
    )
    over: Sequence[UUID] = (
        await session.scalars(
            select(ArchiveUpload.id)
            .where(ArchiveUpload.expires_at <= now(), ~in_use)
            .with_for_update(skip_locked=True)
        )
    ).all()
    await session.execute(delete(ArchiveUpload).where(ArchiveUpload.id.in_(over)))
    # Files first: a row is written before there is a file of it.
    there = await asyncio.to_thread(lambda: list(uploads_of(settings).glob("*")))
    known = {str(each) for each in await session.scalars(select(ArchiveUpload.id))}
    for path in there:
        if path.stem not in known:
            await asyncio.to_thread(path.unlink, missing_ok=True)


def summary_of(upload: ArchiveUpload) -> Summary | None:
    """What is in it, once it was found good."""
    return msgspec.convert(upload.summary, Summary) if upload.summary else None


async def _opened(file: Path, passphrase: str) -> tuple[Manifest, ArchiveKey]:
    def read() -> Manifest:
        with Archive.open(file) as archive:
            return archive.manifest

    manifest = await asyncio.to_thread(read)
    key = await ArchiveKey.of(passphrase, manifest.lock.opened_salt)
    key.insist_on(manifest.lock)
    return manifest, key


def _files(settings: Settings, upload_id: UUID) -> tuple[Path, Path]:
    """An archive that came, and one that is coming."""
    whole = upload_file(settings, upload_id)
    return whole, whole.with_suffix(".part")


def _make_room(folder: Path, gone: Sequence[Path]) -> int:
    """Bytes that are free on the disk below ``folder``, without the files ``gone``."""
    for each in gone:
        each.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free


def _printable(name: str) -> str:
    """What the sender calls the file, as far as it can be shown."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in bare if each.isprintable())[:120]
