"""Hire agreements, as they were signed; and their files.

The database lets nobody change or delete one (``car_hire_0017``).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.crypto import EncryptedText
from core.db import Base
from core.i18n import _
from plugins.car_hire.models.fleet import line


class Agreement(Base):
    """What both agreed on when a car left: the whole text, frozen in that moment."""

    __tablename__ = "car_hire_agreements"

    hire_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_hires.id"), primary_key=True)
    inspection_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_inspections.id"))
    """Of the check-out at which it was signed on the screen; None: it is printed and signed."""
    content: Mapped[str] = mapped_column(EncryptedText())
    """A ``core.documents.sheet.Sheet`` as JSON, without logo and drawings."""
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("ix_car_hire_agreements_inspection_id", "inspection_id"),
        line(_("Hire agreements, as they were signed")),
    )


class AgreementFile(Base):
    """The PDF of an agreement, in the store."""

    __tablename__ = "car_hire_agreement_files"

    hire_id: Mapped[UUID] = mapped_column(
        ForeignKey("car_hire_agreements.hire_id"), primary_key=True
    )
    file_id: Mapped[UUID]
    sha256: Mapped[str] = mapped_column(Text)
    """In hexadecimal, of what was drawn."""
    drawn_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("uq_car_hire_agreement_files_file_id", "file_id", unique=True),
        line(_("The files of hire agreements, with the marks by which a change would show")),
    )
