"""What was counted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class QuotaCounter(Base):
    """How much of a limit is used; ``period`` is the month of a rate (``2026-03``), else empty.

    Whoever changes it holds its row until their transaction ends: so no two take the last piece.
    """

    __tablename__ = "quota_counters"
    __table_args__ = (
        CheckConstraint("used >= 0", name="used"),
        {"info": {"line": "core"}},
    )

    limit: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    used: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
