"""Settings as they are, and every version that they ever had."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base


class PluginSettings(Base):
    """The settings a tenant chose for a plugin; ``version`` counts the changes."""

    __tablename__ = "plugin_settings"
    __table_args__ = ({"info": {"line": "core"}},)

    plugin: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SettingsVersion(Base):
    """What the settings of a plugin were from this version on, and who wanted it so.

    Version 0 is not kept: it is the plugin's own defaults. ``restored`` is the version that was
    put back, if one was.
    """

    __tablename__ = "plugin_settings_versions"
    __table_args__ = (
        CheckConstraint("version > 0 AND restored < version", name="version"),
        {"info": {"line": "core"}},
    )

    plugin: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSONB)
    restored: Mapped[int | None]
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    changed_by: Mapped[UUID | None]
    changed_by_name: Mapped[str] = mapped_column(Text)
    """As it was then; the name of Atrium where no person did it."""
