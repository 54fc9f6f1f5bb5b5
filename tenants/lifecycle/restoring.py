"""A tenant that begins with another one's data: from an archive, or as a copy."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.auth.models import User
from core.clock import now
from core.crypto import open_platform, seal_platform
from core.errors import Conflict, TooManyRequests
from core.i18n import _
from core.ids import new_id
from core.jobs import put
from core.permissions import Role
from core.settings import Settings
from core.signals import Signals
from tenants.archive.sealing import ArchiveKey
from tenants.changes import announce
from tenants.files import archive_file
from tenants.lifecycle.ordering import FILL, Order, Ordered, Owner, enter
from tenants.lifecycle.statuses import Status, locked
from tenants.models import Membership, TenantPlugin, TenantRecord
from tenants.runs import note_run

_FILLED = ("role", "schema", "layout", "key", "load")
_FINISHED = ("tables", "owner", "activate")


COPIES_A_DAY: Final = 3
"""Of one owner, over all their businesses: each is a whole schema, made by a worker."""
_CLONED: Final = "tenants.cloned"
IMPORTED: Final = "tenants.import_begun"
"""In the log: a business is being made of an archive."""


class TooManyCopies(TooManyRequests):
    """Another one tomorrow."""

    code = "too_many_copies"
    title = _("You have made 3 copies within a day; the next one can be made tomorrow")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The archive that a tenant is filled with; its key is sealed under the master key.

    With ``copy_of`` it is made first, of that tenant, and removed in the end.
    """

    archive: str
    key: str
    copy_of: UUID | None = None

    @property
    def file(self) -> Path:
        """Where the archive lies."""
        return Path(self.archive)

    @property
    def opened_key(self) -> ArchiveKey:
        """The key that opens it."""
        return ArchiveKey(bytes.fromhex(open_platform(bytes.fromhex(self.key), *self._place)))

    @classmethod
    def of(cls, file: Path, key: ArchiveKey, copy_of: UUID | None = None) -> Source:
        """The archive at ``file``, opened by ``key``."""
        bare = cls(archive=str(file), key="", copy_of=copy_of)
        sealed = seal_platform(key.secret.hex(), *bare._place)
        return msgspec.structs.replace(bare, key=sealed.hex())

    @property
    def _place(self) -> tuple[str, ...]:
        return ("provisioning_runs", self.archive, "source")


async def note_import(session: AsyncSession, wanted: Order, file: Path, key: ArchiveKey) -> Ordered:
    """Note down a tenant that will be filled with the archive at ``file``, which was checked.

    Raises:
        Invalid, SlugTaken: naming the fields at fault.
    """
    tenant_id = await enter(session, wanted)
    steps = [*_FILLED, *_FINISHED]
    ordered = await _note(session, tenant_id, steps, wanted.owner, Source.of(file, key))
    await audit.record(session, IMPORTED, "tenant", tenant_id)
    return ordered


async def order_import(
    session: AsyncSession, wanted: Order, file: Path, key: ArchiveKey
) -> Ordered:
    """The same by a job; the archive was sent for this alone and is removed in the end. The
    account that orders it is a member from now on, so that it can follow the making.

    Raises:
        Invalid, SlugTaken: naming the fields at fault.
    """
    tenant_id = await enter(session, wanted)
    steps = [*_FILLED, "discard", *_FINISHED]
    ordered = await _note(session, tenant_id, steps, wanted.owner, Source.of(file, key))
    _make_member(session, tenant_id, wanted.owner)
    await put(session, FILL, {"run_id": ordered.run_id}, key=str(ordered.run_id))
    await audit.record(session, IMPORTED, "tenant", tenant_id)
    return ordered


async def clone(
    session: AsyncSession, settings: Settings, tenant_id: UUID, slug: str, name: str, owner: Owner
) -> Ordered:
    """Order a pooled copy of a tenant; a job makes it.

    The copy is muted: its letters are kept and not sent. Keys for payments, people's sessions
    and jobs that wait are not copied. ``owner.user_id`` is the owner among the tenant's people,
    and so among the copy's.

    Raises:
        Invalid, SlugTaken: naming the fields at fault.
        Conflict: the tenant is not in a state to be read.
        TooManyCopies: whoever asks has asked for as many as a day allows.
    """
    await _insist_on_few(session, owner)
    original = await locked(session, tenant_id)
    if original.status not in {Status.ACTIVE, Status.SUSPENDED}:
        raise Conflict(_("The present status of this business does not allow it"))
    chosen = (
        await session.execute(
            select(TenantPlugin.plugin, TenantPlugin.state).where(
                TenantPlugin.tenant_id == tenant_id, TenantPlugin.state != "installing"
            )
        )
    ).all()
    wanted = Order(
        slug=slug,
        name=name,
        zone=original.zone,
        currency=original.currency,
        locale=original.locale,
        color=original.color,
        logo=original.logo,
        country=original.country,
        plugins=tuple(sorted(row.plugin for row in chosen)),
        off=tuple(sorted(row.plugin for row in chosen if row.state == "disabled")),
        owner=owner,
    )
    copy_id = await enter(session, wanted)
    await session.execute(update(TenantRecord).where(TenantRecord.id == copy_id).values(muted=True))
    _make_member(session, copy_id, owner)
    file = archive_file(settings, copy_id, new_id())
    source = Source.of(file, ArchiveKey.fresh(), tenant_id)
    steps = ["snapshot", *_FILLED, "discard", *_FINISHED]
    ordered = await _note(session, copy_id, steps, owner, source)
    await put(session, FILL, {"run_id": ordered.run_id}, key=str(ordered.run_id))
    detail = {"copy": copy_id, "slug": slug}
    await audit.record(session, _CLONED, "tenant", tenant_id, detail)
    return ordered


async def _insist_on_few(session: AsyncSession, owner: Owner) -> None:
    if owner.account_id is None:
        return
    # Whoever orders two at once is counted once after the other.
    await session.execute(select(User.id).where(User.id == owner.account_id).with_for_update())
    if await audit.done_since(session, _CLONED, now() - timedelta(days=1)) >= COPIES_A_DAY:
        raise TooManyCopies(retry_after=60 * 60)


async def unmute(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
    """Let a copy send letters from now on; those that were kept are not sent."""
    tenant = await locked(session, tenant_id)
    if not tenant.muted:
        return
    tenant.muted = False
    await session.flush()
    announce(session, signals, tenant_id)
    await audit.record(session, "tenants.unmuted", "tenant", tenant_id)


def _make_member(session: AsyncSession, tenant_id: UUID, owner: Owner) -> None:
    if owner.account_id is None:
        return
    role = Role.OWNER.value
    session.add(
        Membership(
            tenant_id=tenant_id, account_id=owner.account_id, user_id=owner.user_id, role=role
        )
    )


async def _note(
    session: AsyncSession, tenant_id: UUID, steps: list[str], owner: Owner, source: Source
) -> Ordered:
    described = msgspec.to_builtins(owner)
    run_id = await note_run(session, tenant_id, steps, described, msgspec.to_builtins(source))
    return Ordered(tenant_id, run_id)
