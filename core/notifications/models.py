"""What people were told, and how they want to be."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from core.ids import new_id


class Notification(Base):
    """Something that one person is told.

    ``in_app`` is whether the bell shows it; ``mailing`` whether a letter is to say it, at once
    (``now``) or in the morning (``digest``). ``given`` are the values of the kind's text.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint("mailing IN ('now', 'digest')", name="mailing"),
        CheckConstraint("in_app OR mailing IS NOT NULL", name="told"),
        Index("ix_notifications_user_id", "user_id", "id"),
        Index(
            "ix_notifications_unread",
            "user_id",
            postgresql_where=text("read_at IS NULL AND in_app"),
        ),
        Index(
            "ix_notifications_to_mail",
            "user_id",
            postgresql_where=text("mailing = 'digest' AND mailed_at IS NULL AND read_at IS NULL"),
        ),
        Index("ix_notifications_read_at", "read_at", postgresql_where=text("read_at IS NOT NULL")),
        Index("ix_notifications_subject", "subject_type", "subject_id"),
        {"info": {"line": "core"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    subject_type: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(Text)
    given: Mapped[dict[str, Any]] = mapped_column(JSONB)
    in_app: Mapped[bool]
    mailing: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    mailed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class NotificationChoice(Base):
    """How a person wants to be told of one kind, where they have chosen."""

    __tablename__ = "notification_choices"
    __table_args__ = ({"info": {"line": "core"}},)

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    app: Mapped[bool]
    mail: Mapped[bool]
    digest: Mapped[bool]


class NotificationHabits(Base):
    """What holds for all kinds. ``quiet``: nothing pops up and no letters come. ``digested_on``
    is the day, on the tenant's calendar, of the last letter of a morning."""

    __tablename__ = "notification_habits"
    __table_args__ = ({"info": {"line": "core"}},)

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    quiet: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    digest: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    digested_on: Mapped[date | None]
