"""The files of a tenant, one row each."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.ids import new_id


class StoredFile(Base):
    """A file that is in the store, whole and never changed: its content was there first.

    ``name`` is what whoever sent it calls it, ``media_type`` was found by looking at its content,
    ``sha256`` is in hexadecimal.
    """

    __tablename__ = "stored_files"
    __table_args__ = (
        Index("ix_stored_files_area", "area", "id"),
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        {"info": {"line": "core"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    area: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Text)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/files/{self.id}"
