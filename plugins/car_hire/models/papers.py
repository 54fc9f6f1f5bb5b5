"""Numbered papers: issued once, in order and without gaps, and never changed.

The database lets nobody change or delete one (``car_hire_0011``). What comes after a
paper was issued, its file, has a table of its own.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import LazyText, _
from core.ids import new_id
from core.money import Money
from plugins.car_hire.models.fleet import line, money_column

PAPER_KINDS: Final[dict[str, LazyText]] = {
    "invoice": _("Invoice"),
    "credit_note": _("Credit note"),
    "receipt": _("Receipt"),
    "statement": _("Statement"),
}


class PaperSeries(Base):
    """How far a series has come. Its row is locked by whoever issues the next paper."""

    __tablename__ = "car_hire_paper_series"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    """A prefix and a year of the business's calendar, such as ``FT 2026``."""
    last: Mapped[int] = mapped_column(default=0)
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    """Of its last paper: a later number never bears an earlier time."""

    __table_args__ = (
        CheckConstraint("last >= 0", name="last"),
        line(_("The series of numbered papers, and how far each has come")),
    )


class Paper(Base):
    """An invoice, a credit note or a receipt, with everything that is printed on it.

    ``content`` is a ``services.papers.content.Content``; the columns beside it are for finding.
    Amounts of a credit note are what it takes off: zero or more, as everywhere.
    """

    __tablename__ = "car_hire_papers"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(Text)
    series: Mapped[str] = mapped_column(ForeignKey("car_hire_paper_series.name"))
    sequence: Mapped[int]
    number: Mapped[str] = mapped_column(Text)
    """``FT 2026/1``."""
    key: Mapped[str] = mapped_column(Text)
    """What it was issued for: nothing has two papers."""
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    issued_on: Mapped[date] = mapped_column(Date)
    """The day on the business's calendar."""
    issued_by: Mapped[UUID | None]
    locale: Mapped[str] = mapped_column(Text)
    buyer: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    net: Mapped[Decimal] = money_column()
    tax: Mapped[Decimal] = money_column()
    gross: Mapped[Decimal] = money_column()
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_customers.id"))
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_bookings.id"))
    refers_to: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_papers.id"))
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)

    @property
    def total(self) -> Money:
        """Tax included."""
        return Money(self.gross, self.currency)

    __table_args__ = (
        Index("uq_car_hire_papers_sequence", "series", "sequence", unique=True),
        Index("uq_car_hire_papers_key", "key", unique=True),
        Index("ix_car_hire_papers_kind", "kind", "id"),
        Index("ix_car_hire_papers_issued_on", "issued_on", "id"),
        Index("ix_car_hire_papers_buyer", func.lower(text("buyer"))),
        Index("ix_car_hire_papers_customer_id", "customer_id", "id"),
        Index("ix_car_hire_papers_booking_id", "booking_id"),
        Index("ix_car_hire_papers_refers_to", "refers_to"),
        CheckConstraint("kind IN ('invoice', 'credit_note', 'receipt', 'statement')", name="kind"),
        CheckConstraint("sequence >= 1", name="sequence"),
        CheckConstraint("net + tax = gross", name="amounts"),
        CheckConstraint("kind <> 'credit_note' OR refers_to IS NOT NULL", name="refers_to"),
        line(_("Invoices, credit notes and receipts, as they were issued")),
    )


class PaperFile(Base):
    """The PDF of a paper, in the store."""

    __tablename__ = "car_hire_paper_files"

    paper_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_papers.id"), primary_key=True)
    file_id: Mapped[UUID]
    sha256: Mapped[str] = mapped_column(Text)
    """In hexadecimal, of what was drawn."""
    drawn_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("uq_car_hire_paper_files_file_id", "file_id", unique=True),
        line(_("The files of papers, with the marks by which a change would show")),
    )
