"""Quotes and bills: lines of money, each with the rule that made it and what the rule was given."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models.fleet import line, money_column


class MoneyLine:
    """The columns that a line of a quote and a line of a bill share."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    position: Mapped[int] = mapped_column(SmallInteger)
    rule: Mapped[str] = mapped_column(Text)
    """Which rule made the line, such as ``rate.daily``."""
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """What the rule was given; with it the line can be made again."""
    quantity: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    unit_price: Mapped[Decimal] = money_column()
    net: Mapped[Decimal] = money_column()
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(6, 4))
    tax: Mapped[Decimal] = money_column()
    gross: Mapped[Decimal] = money_column()


class Quote(Base):
    """A price for a class and a time; ``terms`` are the rates as they then were, and ``asked`` what
    they were asked for: the price can be made again from the two.

    One that is booked is kept for ever, others until the night after they expired.
    """

    __tablename__ = "car_hire_quotes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    class_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_classes.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    pick_up_branch_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_branches.id"))
    return_branch_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_branches.id"))
    days: Mapped[int]
    currency: Mapped[str] = mapped_column(Text)
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    asked: Mapped[dict[str, Any]] = mapped_column(JSONB)
    net: Mapped[Decimal] = money_column()
    tax: Mapped[Decimal] = money_column()
    gross: Mapped[Decimal] = money_column()
    deposit: Mapped[Decimal] = money_column()
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    hold_id: Mapped[UUID | None]
    """The block that keeps a car for whoever was offered this price."""

    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="period"),
        CheckConstraint("days >= 1", name="days"),
        CheckConstraint("net + tax = gross AND net >= 0 AND tax >= 0", name="amounts"),
        Index("ix_car_hire_quotes_expires_at", "expires_at"),
        line(_("Prices that were shown, for as long as they are good")),
    )


class QuoteLine(MoneyLine, Base):
    """One line of a quote."""

    __tablename__ = "car_hire_quote_lines"

    quote_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_quotes.id"))

    __table_args__ = (
        Index("uq_car_hire_quote_lines_position", "quote_id", "position", unique=True),
        CheckConstraint("net + tax = gross", name="amounts"),
        line(_("The lines of a shown price")),
    )


class BillLine(MoneyLine, Base):
    """One line of the bill made at a hire's return."""

    __tablename__ = "car_hire_bill_lines"

    hire_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_hires.id"))
    file_id: Mapped[UUID | None]
    """A letter or photo that shows why, for the desk and the customer."""

    __table_args__ = (
        Index("uq_car_hire_bill_lines_position", "hire_id", "position", unique=True),
        Index("uq_car_hire_bill_lines_file_id", "file_id", unique=True),
        CheckConstraint("net + tax = gross", name="amounts"),
        line(_("The lines of the bill at a return")),
    )
