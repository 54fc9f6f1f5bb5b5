"""The reservation of a key, and the answer that belongs to it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, Index, LargeBinary, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from core.crypto import EncryptedText
from core.db import Base


class KeptAnswer(Base):
    """``status`` is null while the request is being worked on, or if it was interrupted."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index("ix_idempotency_keys_created_at", "created_at"),
        {"info": {"line": "core", "carried": False}},
    )

    owner: Mapped[str] = mapped_column(Text, primary_key=True)
    route: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None] = mapped_column()
    media_type: Mapped[str | None] = mapped_column(Text)
    location: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(EncryptedText())
    """Each byte as the character of that number; sealed, since answers hold what is sealed in
    the rows they show."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
