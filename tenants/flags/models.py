"""What was said of flags: for one tenant by operators and owners, for a share of all tenants."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base

_PLATFORM: Final = {"info": {"line": "platform"}}
_Moment: Final = DateTime(timezone=True)


class FlagOverride(Base):
    """An operator has a flag on or off for a tenant, whatever else was said."""

    __tablename__ = "flag_overrides"
    __table_args__ = (_PLATFORM,)

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True
    )
    flag: Mapped[str] = mapped_column(Text, primary_key=True)
    is_on: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime | None] = mapped_column(_Moment)
    set_by: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(_Moment, default=now)


class FlagChoice(Base):
    """What a tenant's owner chose, and what they had chosen before; null is no choice."""

    __tablename__ = "flag_choices"
    __table_args__ = (_PLATFORM,)

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True
    )
    flag: Mapped[str] = mapped_column(Text, primary_key=True)
    is_on: Mapped[bool | None]
    before: Mapped[bool | None]
    set_by: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(_Moment, default=now)


class FlagRollOut(Base):
    """How many percent of the tenants have a flag."""

    __tablename__ = "flag_roll_outs"
    __table_args__ = (CheckConstraint("percent BETWEEN 0 AND 100", name="percent"), _PLATFORM)

    flag: Mapped[str] = mapped_column(Text, primary_key=True)
    percent: Mapped[int]
    set_by: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(_Moment, default=now)
