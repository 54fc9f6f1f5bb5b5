"""The directory of tenants: read from the catalogue, kept in process, dropped on change.

Every request and every job asks here, so an answer that is held costs a dictionary look-up.
A change is announced to all processes; should an announcement be lost, an answer ages out
after ``TTL`` seconds, and sooner while none can be heard.
"""

from __future__ import annotations

import base64
import random
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Databases
from core.scope import Brand, Granted, Maintenance, Scope, Sender, Tenant, scope_name
from core.settings import Settings
from core.signals import Signals
from tenants import slugs
from tenants.changes import CHANNEL, FLAGS, GONE
from tenants.databases import Place, platform
from tenants.domains.models import TenantHost
from tenants.flags.words import SAID, words_of
from tenants.migration.lines import Lines, Standing
from tenants.models import (
    DatabaseRecord,
    FormerSlug,
    MigrationStatus,
    TenantLimit,
    TenantPlugin,
    TenantRecord,
)
from tenants.senders.models import MailSender, SenderKey

TTL: Final = 90.0
"""Seconds that an answer is believed at most: of a thousand tenants in steady use a process
reads fifteen a second anew."""
UNHEARD_TTL: Final = 30.0
"""Seconds while announcements do not reach us."""
HELD_AT_MOST: Final = 20_000

_ENABLED: Final = (
    select(func.array_agg(TenantPlugin.plugin))
    .where(TenantPlugin.tenant_id == TenantRecord.id, TenantPlugin.state == "enabled")
    .scalar_subquery()
)
_STANDING: Final = (
    select(
        func.jsonb_object_agg(
            MigrationStatus.line,
            func.jsonb_build_array(MigrationStatus.revision, MigrationStatus.contracted),
        )
    )
    .where(MigrationStatus.tenant_id == TenantRecord.id)
    .scalar_subquery()
)
_PRIMARY: Final = (
    select(TenantHost.host)
    .where(TenantHost.tenant_id == TenantRecord.id, TenantHost.is_primary)
    .scalar_subquery()
)
_SENDER: Final = (
    select(
        func.jsonb_build_object(
            "address", MailSender.address,
            "name", MailSender.name,
            "reply_to", MailSender.reply_to,
            "fallen_back", MailSender.fallen_back_at.is_not(None),
            "selector", SenderKey.selector,
            "key", func.encode(SenderKey.private, "base64"),
        )
    )
    .join(SenderKey, (SenderKey.sender_id == MailSender.id) & (SenderKey.state == "current"))
    .where(MailSender.tenant_id == TenantRecord.id, MailSender.verified_at.is_not(None))
    .scalar_subquery()
)  # fmt: skip
_GRANTED: Final = (
    select(
        func.jsonb_object_agg(
            TenantLimit.limit, func.jsonb_build_array(TenantLimit.allowed, TenantLimit.until)
        )
    )
    .where(TenantLimit.tenant_id == TenantRecord.id)
    .scalar_subquery()
)
EVERYONE: Final = select(
    TenantRecord, DatabaseRecord, _ENABLED, _STANDING, _PRIMARY, _SENDER, _GRANTED, SAID
).outerjoin(DatabaseRecord, DatabaseRecord.name == TenantRecord.database)
"""The rows that ``describe`` takes, of every tenant there is."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What was read (monotonic seconds), to be believed for ``share`` of the allotted time."""

    tenant: Tenant | None
    read_at: float
    share: float


class Catalogue:
    """The ``core.scope.Directory`` of this software."""

    def __init__(
        self, settings: Settings, databases: Databases, lines: Lines, *, ttl: float = TTL
    ) -> None:
        self._settings = settings
        self._databases = databases
        self._lines = lines
        self._ttl = ttl
        self._platform = platform(settings)
        self._suffix = f".{settings.base_domain}"
        self._held: OrderedDict[Hashable, _Held] = OrderedDict()
        self._changes = 0
        self._signals: Signals | None = None

    async def by_host(self, host: str) -> Tenant | None:
        """The tenant served at ``host``, which is normalised and bears no port."""
        if (held := self._known(host)) is not None:
            return held.tenant
        if host == self._settings.base_domain:
            return self._platform
        if not host.endswith(self._suffix):
            return await self._read(host, _owns_host(host))
        slug = host.removesuffix(self._suffix)
        if not slugs.is_valid(slug):
            return None
        return await self._read(host, TenantRecord.slug == slug)

    async def formerly(self, host: str) -> Tenant | None:
        """The tenant that lived at the subdomain ``host`` until it was renamed."""
        slug = host.removesuffix(self._suffix)
        if slug == host or not slugs.is_valid(slug):
            return None
        key = ("formerly", host)
        if (held := self._known(key)) is not None:
            return held.tenant
        return await self._read(key, _lived_at(slug))

    async def by_id(self, tenant_id: UUID) -> Tenant | None:
        """The tenant with this id, tenant zero included."""
        if tenant_id == self._platform.id:
            return self._platform
        if (held := self._known(tenant_id)) is not None:
            return held.tenant
        return await self._read(tenant_id, TenantRecord.id == tenant_id)

    def url_of(self, tenant: Tenant, path: str = "/") -> str:
        """The absolute address of ``path`` at the tenant's own host."""
        if tenant.is_platform:
            return f"{self._settings.public_url}{path}"
        return self._settings.tenant_url(tenant.slug, path, host=tenant.host)

    def listen(self, signals: Signals) -> None:
        """Forget whatever other processes announce as changed."""
        self._signals = signals
        signals.subscribe(CHANNEL, self._hear)
        signals.subscribe(FLAGS, lambda _key: self.forget_all())
        signals.subscribe(GONE, self._databases.leave)

    def _hear(self, key: str | None) -> None:
        if key is None:
            self.forget_all()
        else:
            self.forget(UUID(key))

    def forget(self, tenant_id: UUID) -> None:
        """Ask the database about this tenant again, and about all that was not found."""
        self._changes += 1
        stale = [
            key
            for key, held in self._held.items()
            if held.tenant is None or held.tenant.id == tenant_id
        ]
        for key in stale:
            del self._held[key]

    def forget_all(self) -> None:
        """Ask the database about everyone again: announcements may have been missed."""
        self._changes += 1
        self._held.clear()

    def _known(self, key: Hashable) -> _Held | None:
        """What is held of ``key``, unless it is too old."""
        held = self._held.get(key)
        if held is None:
            return None
        heard = self._signals is not None and self._signals.connected.is_set()
        ttl = self._ttl if heard else min(self._ttl, UNHEARD_TTL)
        return held if time.monotonic() - held.read_at < ttl * held.share else None

    async def _read(self, key: Hashable, criterion: ColumnElement[bool]) -> Tenant | None:
        changes = self._changes
        async with self._databases.transaction(self._platform) as session:
            tenant = await find(session, self._settings, self._lines, criterion)
        if changes == self._changes:  # else what was read may already be history
            # Some are forgotten sooner: what was asked at once must not be asked again at once.
            share = random.uniform(0.5, 1)  # noqa: S311  # spreads load, guards nothing
            self._held[key] = _Held(tenant, time.monotonic(), share)
            self._held.move_to_end(key)
            while len(self._held) > HELD_AT_MOST:
                self._held.popitem(last=False)
        return tenant


async def find(
    session: AsyncSession, settings: Settings, lines: Lines, criterion: ColumnElement[bool]
) -> Tenant | None:
    """The one tenant that meets ``criterion``, read from the catalogue."""
    rows = await session.execute(EVERYONE.where(criterion))
    row = rows.one_or_none()
    return None if row is None else describe(settings, lines, *row)


def describe(
    settings: Settings,
    lines: Lines,
    record: TenantRecord,
    database: DatabaseRecord | None,
    plugins: Sequence[str] | None,
    standing: Standing | None,
    host: str | None = None,
    sender: Mapping[str, Any] | None = None,
    granted: Mapping[str, tuple[int | None, str | None]] | None = None,
    said: Mapping[str, Any] | None = None,
) -> Tenant:
    """A tenant as the rest of the software sees it.

    It is ``updating`` rather than ``active`` while its tables are not those that this code
    works with: the rest of the software need not know why it waits.
    """
    enabled = frozenset(plugins or ())
    status = record.status
    if status == "active" and not lines.serve(enabled, standing or {}):
        status = "updating"
    return Tenant(
        id=record.id,
        slug=record.slug,
        name=record.name,
        host=host,
        scope=Scope(Place.of(settings, database).application, scope_name(record.id)),
        status=status,
        zone=record.zone,
        currency=record.currency,
        locale=record.locale,
        plugins=enabled,
        brand=Brand(color=record.color or Brand().color, logo=record.logo),
        maintenance=maintenance_of(record),
        sender=_sender(sender) if sender else None,
        muted=record.muted,
        limits={
            name: Granted(allowed=allowed, until=datetime.fromisoformat(until) if until else None)
            for name, (allowed, until) in (granted or {}).items()
        },
        flags=words_of(said or {}),
    )


def maintenance_of(record: TenantRecord) -> Maintenance | None:
    """The maintenance that a tenant is under, if it is."""
    if record.maintenance_since is None:
        return None
    return Maintenance(message=record.maintenance_message or "", until=record.maintenance_until)


def _sender(kept: Mapping[str, Any]) -> Sender:
    """As the catalogue gives it: JSON, in which the sealed key is base64."""
    return Sender(**{**kept, "key": base64.b64decode(kept["key"])})


def _lived_at(slug: str) -> ColumnElement[bool]:
    moved = select(FormerSlug.tenant_id).where(
        FormerSlug.slug == slug, FormerSlug.until > func.now()
    )
    return TenantRecord.id == moved.scalar_subquery()


def _owns_host(host: str) -> ColumnElement[bool]:
    return TenantRecord.id == (
        select(TenantHost.tenant_id)
        .where(TenantHost.host == host, TenantHost.verified_at.is_not(None))
        .scalar_subquery()
    )
