"""Words by which pages of the storefront were found before."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import _
from plugins.car_hire.models.fleet import line


class FormerWord(Base):
    """A word that led to a class or branch until it got another; the last that left it has it."""

    __tablename__ = "car_hire_former_words"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    word: Mapped[str] = mapped_column(Text, primary_key=True)
    """As in the address: ``familia-2``."""
    subject_id: Mapped[UUID]
    left_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        CheckConstraint("kind IN ('branch', 'class')", name="kind"),
        line(_("Former addresses of classes and branches on the site")),
    )
