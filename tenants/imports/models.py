"""Archives that were sent. A table of tenant zero alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.ids import new_id

_Moment: Final = DateTime(timezone=True)


class ArchiveUpload(Base):
    """An archive that an account sends, until a business is made of it or its time is over.

    ``size`` is known when it has come whole, ``checked`` of ``total`` bytes were compared with
    its manifest, ``summary`` is shown before the owner confirms. ``reason`` says in the sender's
    language why it was refused.
    """

    __tablename__ = "archive_uploads"
    __table_args__ = (
        CheckConstraint(
            "state IN ('receiving', 'checking', 'refused', 'ready', 'ordered')", name="state"
        ),
        CheckConstraint("(state = 'ordered') = (tenant_id IS NOT NULL)", name="tenant_id"),
        CheckConstraint("(state = 'refused') = (reason IS NOT NULL)", name="reason"),
        Index("ix_archive_uploads_account_id", "account_id"),
        Index("ix_archive_uploads_expires_at", "expires_at"),
        {"info": {"line": "platform"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID]
    locale: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="receiving")
    name: Mapped[str] = mapped_column(Text, default="")
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    checked: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    reason: Mapped[str | None] = mapped_column(Text)
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenants.id"))
    created_at: Mapped[datetime] = mapped_column(_Moment, default=now)
    expires_at: Mapped[datetime] = mapped_column(_Moment)
