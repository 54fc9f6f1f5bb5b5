"""Where a tenant's wrapped data keys lie: in its own scope, useless without the master key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, Integer, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class TenantKey(Base):
    """One data key of this tenant, wrapped by a master key; the highest number is current."""

    __tablename__ = "tenant_keys"
    __table_args__ = (
        CheckConstraint("number BETWEEN 1 AND 65535", name="number"),
        {"info": {"line": "core", "carried": False}},
    )

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
