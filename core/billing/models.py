"""What is counted for billing; how much there may be of something is ``core.quotas``."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Numeric, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from core.ids import new_id


class UsageRecord(Base):
    """A quantity of a meter, counted once under its key."""

    __tablename__ = "usage_records"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity"),
        Index("uq_usage_records_meter_key", "meter", "key", unique=True),
        Index("ix_usage_records_meter_recorded_at", "meter", "recorded_at"),
        {"info": {"line": "core"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    meter: Mapped[str] = mapped_column(Text)
    quantity: Mapped[Decimal] = mapped_column(Numeric(20, 6))
    key: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )
