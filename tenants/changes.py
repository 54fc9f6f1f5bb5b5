"""Telling every process that a tenant has changed, so that nobody serves an old answer."""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import after_commit
from core.signals import Signals

CHANNEL: Final = "tenants"
FLAGS: Final = "flags"
GONE: Final = "databases.gone"


def announce(session: AsyncSession, signals: Signals, tenant_id: UUID) -> None:
    """Tell all processes, once this transaction has ended well, to read the tenant again."""
    after_commit(session, partial(signals.publish, CHANNEL, str(tenant_id)))


def announce_flag(session: AsyncSession, signals: Signals, key: str) -> None:
    """Tell all processes, once this transaction has ended well, that a flag is rolled out otherwise
    and every tenant is to be read again."""
    after_commit(session, partial(signals.publish, FLAGS, key))


def announce_gone(session: AsyncSession, signals: Signals, database: str) -> None:
    """Tell all processes, once this transaction has ended well, to leave a database alone."""
    after_commit(session, partial(signals.publish, GONE, database))
