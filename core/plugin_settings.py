"""A plugin's settings for one tenant: its msgspec Struct, kept as JSON in the tenant's scope."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base

S = TypeVar("S", bound=msgspec.Struct)


class PluginSettings(Base):
    """The settings a tenant chose for a plugin; ``version`` counts the changes."""

    __tablename__ = "plugin_settings"
    __table_args__ = ({"info": {"line": "core"}},)

    plugin: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


async def read(session: AsyncSession, plugin: str, kind: type[S]) -> S:
    """The tenant's settings of ``plugin``; what was never set has the default of ``kind``."""
    stored = await session.get(PluginSettings, plugin)
    return msgspec.convert(stored.value if stored else {}, kind)


async def save(session: AsyncSession, plugin: str, settings: msgspec.Struct) -> None:
    """Keep ``settings`` as the tenant's settings of ``plugin``."""
    value = msgspec.to_builtins(settings)
    wanted = insert(PluginSettings).values(plugin=plugin, value=value, version=1, updated_at=now())
    await session.execute(
        wanted.on_conflict_do_update(
            index_elements=[PluginSettings.plugin],
            set_={"value": value, "version": PluginSettings.version + 1, "updated_at": now()},
        )
    )
