"""Which key is whose: the data keys of the tenants that this process has served.

Column types are synchronous and know no connection, so keys must be at hand before a
statement is built: when a session's transaction begins and its tenant's keys are not here
yet, they are read in that same transaction. It costs one statement per tenant and process.
See docs/decisions/encrypted-columns.md.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, event, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from core import scope
from core.crypto.box import KEY_BYTES, close_box, key_number, open_box
from core.crypto.master import MasterKeys
from core.crypto.models import TenantKey
from core.db import ScopedSession
from core.scope import Tenant

REFRESH_AFTER: Final = 900.0
"""Seconds after which a tenant's keys are read again, to learn of a new one."""
MAX_TENANTS: Final = 20_000

_EXISTS: Final = text("SELECT to_regclass('tenant_keys') IS NOT NULL")
_ALL: Final = select(TenantKey.number, TenantKey.wrapped).order_by(TenantKey.number)


class NoKey(RuntimeError):
    """A field was to be sealed or opened without its key: provisioning made none, or the
    process was given no master key."""


@dataclass(frozen=True, slots=True)
class DataKeys:
    """A tenant's data keys by number; 0 keys is a tenant that was not provisioned fully."""

    keys: Mapping[int, bytes] = field(repr=False)
    read_at: float

    @property
    def current(self) -> int:
        """The number of the key that seals."""
        return max(self.keys, default=0)


@dataclass(slots=True)
class KeyRing:
    """The master keys, and the data keys opened with them."""

    master: MasterKeys
    _tenants: OrderedDict[UUID, DataKeys] = field(default_factory=OrderedDict, repr=False)

    def of(self, tenant_id: UUID) -> DataKeys:
        """The keys of a tenant.

        Raises:
            NoKey: none were read.
        """
        held = self._tenants.get(tenant_id)
        if held is None or not held.keys:
            raise NoKey(f"tenant {tenant_id} has no data key here; provisioning makes it")
        return held

    def key(self, tenant_id: UUID, number: int) -> bytes:
        """The key of that number.

        Raises:
            NoKey: it is not the tenant's, or not known here yet.
        """
        try:
            return self.of(tenant_id).keys[number]
        except KeyError:
            raise NoKey(f"tenant {tenant_id} has no data key number {number} here") from None

    def stale(self, tenant_id: UUID) -> bool:
        """Whether the tenant's keys should be read."""
        held = self._tenants.get(tenant_id)
        return held is None or not held.keys or time.monotonic() - held.read_at > REFRESH_AFTER

    def learn(self, tenant_id: UUID, wrapped: Mapping[int, bytes]) -> None:
        """Open a tenant's ``wrapped`` keys and keep them.

        Raises:
            CannotOpen: they are another tenant's, or were wrapped by another master key.
        """
        keys = {
            number: open_box(self._master_of(box), box, _belongs_to(tenant_id, number))
            for number, box in wrapped.items()
        }
        self._tenants[tenant_id] = DataKeys(keys, time.monotonic())
        self._tenants.move_to_end(tenant_id)
        while len(self._tenants) > MAX_TENANTS:
            self._tenants.popitem(last=False)

    def forget(self, tenant_id: UUID) -> None:
        """Have the tenant's keys read again."""
        self._tenants.pop(tenant_id, None)

    def wrap(self, tenant_id: UUID, number: int, key: bytes) -> bytes:
        """``key``, wrapped by the current master key for that tenant and number."""
        master = self.master
        return close_box(
            master.keys[master.current], master.current, key, _belongs_to(tenant_id, number)
        )

    def rewrap(self, tenant_id: UUID, number: int, box: bytes) -> bytes:
        """The same key, wrapped by the current master key."""
        key = open_box(self._master_of(box), box, _belongs_to(tenant_id, number))
        return self.wrap(tenant_id, number, key)

    def _master_of(self, box: bytes) -> bytes:
        number = key_number(box)
        try:
            return self.master.keys[number]
        except KeyError:
            raise NoKey(f"master key number {number} is not in the master key file") from None


def _belongs_to(tenant_id: UUID, number: int) -> tuple[str, str, str]:
    return ("tenant key", str(tenant_id), str(number))


_installed: KeyRing | None = None


def install(ring: KeyRing | None) -> None:
    """Give this process its key ring: once, by the composition root (or a test)."""
    global _installed
    _installed = ring


def installed() -> KeyRing:
    """The key ring of this process.

    Raises:
        NoKey: none was installed.
    """
    if _installed is None:
        raise NoKey("this process was given no master key (ATRIUM_MASTER_KEY_FILE)")
    return _installed


def _read_keys(session: Session, _: SessionTransaction, connection: Connection) -> None:
    tenant: Tenant = session.info["tenant"]
    if _installed is None or not _installed.stale(tenant.id):
        return
    # A scope that is only being made has no such table yet, and an error would end its
    # transaction: ask first. Only an unknown or expired tenant pays for it.
    if connection.scalar(_EXISTS):
        rows = connection.execute(_ALL)
        _installed.learn(tenant.id, {number: bytes(box) for number, box in rows})


def _refuse_other_scope(session: Session, *_: object) -> None:
    """Column types seal for the tenant being served, so a session may write for no other."""
    tenant: Tenant = session.info["tenant"]
    serving = scope.current_or_none()
    if serving is not None and serving.id != tenant.id:
        raise RuntimeError(f"a session of {tenant.slug} was written to while serving another")


event.listen(ScopedSession, "after_begin", _read_keys)
event.listen(ScopedSession, "before_flush", _refuse_other_scope)


async def ready(session: AsyncSession) -> None:
    """Have the tenant's keys at hand before any statement was sent: for ``seal`` by hand."""
    await session.connection()


async def create_key(session: AsyncSession) -> None:
    """Make the tenant's first data key, unless it has one: a step of provisioning."""
    ring, tenant = installed(), session.info["tenant"]
    made = ring.wrap(tenant.id, 1, secrets.token_bytes(KEY_BYTES))
    await session.execute(insert(TenantKey).values(number=1, wrapped=made).on_conflict_do_nothing())
    # What counts is the row that won; if this transaction is undone, the key goes with it.
    rows = await session.execute(_ALL)
    ring.learn(tenant.id, {number: bytes(box) for number, box in rows})
    event.listen(
        session.sync_session, "after_rollback", lambda _: ring.forget(tenant.id), once=True
    )


async def rewrap_keys(session: AsyncSession) -> None:
    """Wrap the tenant's data keys anew by the current master key; no sealed field changes."""
    ring, tenant = installed(), session.info["tenant"]
    rows = await session.execute(_ALL.with_for_update())
    for number, box in rows.all():
        renewed = ring.rewrap(tenant.id, number, bytes(box))
        await session.execute(
            update(TenantKey).where(TenantKey.number == number).values(wrapped=renewed)
        )
