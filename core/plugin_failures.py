"""Where a plugin's code failed in somebody else's page or deed, for the business to see.

What failed undoes its transaction, so this is noted in one of its own, and at most once a minute
by each process: a page that many look at must not become many writes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import DateTime, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base, Databases
from core.scope import Tenant

RECENT: Final = timedelta(hours=24)
_SELDOM: Final = 60.0
_noted: dict[tuple[UUID, str, str], float] = {}

log = structlog.get_logger(__name__)


class PluginFailure(Base):
    """The last time that ``plugin`` failed at ``place``: a slot or an extension point.

    ``reason`` is the kind of error alone: what it says might tell of people.
    """

    __tablename__ = "plugin_failures"
    __table_args__ = ({"info": {"line": "core"}},)

    plugin: Mapped[str] = mapped_column(Text, primary_key=True)
    place: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    failed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


async def note(session: AsyncSession, plugin: str, place: str, problem: BaseException) -> None:
    """Keep that ``plugin`` failed at ``place`` for the tenant of ``session``, whatever becomes of
    that session's transaction."""
    tenant: Tenant = session.info["tenant"]
    key = tenant.id, plugin, place
    if time.monotonic() - _noted.get(key, -_SELDOM) < _SELDOM:
        return
    _noted[key] = time.monotonic()
    databases: Databases = session.info["databases"]
    values = {"reason": type(problem).__name__, "failed_at": now()}
    row = insert(PluginFailure).values(plugin=plugin, place=place, **values)
    keys = [PluginFailure.plugin, PluginFailure.place]
    try:
        async with databases.transaction(tenant) as own:
            await own.execute(row.on_conflict_do_update(index_elements=keys, set_=values))
    except Exception:  # it is in the log already; the page matters more
        log.exception("plugin_failures.not_kept", plugin=plugin, place=place)


async def recent(session: AsyncSession) -> Sequence[PluginFailure]:
    """What failed within a day of the plugins that the tenant has now, the latest first."""
    tenant: Tenant = session.info["tenant"]
    query = select(PluginFailure).where(
        PluginFailure.failed_at > now() - RECENT, PluginFailure.plugin.in_(tenant.plugins)
    )
    return (await session.scalars(query.order_by(PluginFailure.failed_at.desc()))).all()
