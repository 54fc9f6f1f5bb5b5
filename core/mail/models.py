"""Letters, each with what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, LargeBinary, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.crypto import EncryptedText
from core.db import Base
from core.ids import new_id

STATES: Final = ("queued", "sending", "sent", "caught", "failed", "unknown")


class Mail(Base):
    """``queued`` → ``sending`` → ``sent``, ``failed`` or ``unknown`` (the answer was lost: it
    may have arrived, so it is not sent again by itself); ``caught`` where no server is set.

    What it says, and to whom, only the tenant's key opens: names, and links that let people in.
    """

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'caught', 'failed', 'unknown')", name="state"
        ),
        Index("ix_mails_created_at", "created_at"),
        Index("ix_mails_recipient_mark", "recipient_mark"),
        {"info": {"line": "core"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str | None] = mapped_column(Text, unique=True)
    template: Mapped[str] = mapped_column(Text)
    recipient: Mapped[str] = mapped_column(EncryptedText)
    recipient_mark: Mapped[bytes | None] = mapped_column(LargeBinary, info={"carried": False})
    """By which letters to somebody are found; a letter that was imported has none."""
    locale: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(EncryptedText)
    text: Mapped[str] = mapped_column(EncryptedText)
    html: Mapped[str | None] = mapped_column(EncryptedText)
    unsubscribe: Mapped[str | None] = mapped_column(EncryptedText)
    calendar: Mapped[str | None] = mapped_column(EncryptedText)
    """A calendar object (RFC 5545) that goes with it, and whose METHOD says what it does."""
    attached: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")
    """Ids of stored files that go with it."""
    state: Mapped[str] = mapped_column(Text, default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
