"""The cash desk, and transfers that are waited for."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, Numeric, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import LazyText, _
from core.ids import new_id
from core.money import Money
from plugins.car_hire.models.fleet import line, money_column

CASH_KINDS: Final[dict[str, LazyText]] = {
    "taken": _("Taken from a customer"),
    "given_back": _("Given back to a customer"),
    "paid_in": _("Put into the drawer"),
    "paid_out": _("Taken out of the drawer"),
}

TRANSFER_STATES: Final[dict[str, LazyText]] = {
    "expected": _("Expected"),
    "received": _("Received"),
    "given_up": _("Given up"),
}


class CashDesk(Base):
    """A drawer from its opening to its count. What is in it is the float and the movements.

    Who owes what stands in the ledger of payments; this says which notes and coins there should be.
    """

    __tablename__ = "car_hire_cash_desks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    branch_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_branches.id"))
    """At which branch it stands; None: it was counted before there were branches."""
    currency: Mapped[str] = mapped_column(Text)
    opening: Mapped[Decimal] = money_column()
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    opened_by: Mapped[UUID | None]
    expected: Mapped[Decimal | None] = mapped_column(Numeric(20, 6))
    counted: Mapped[Decimal | None] = mapped_column(Numeric(20, 6))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_by: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        # One drawer at a time at each branch.
        Index(
            "uq_car_hire_cash_desks_open",
            "branch_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        CheckConstraint("opening >= 0", name="opening"),
        CheckConstraint(
            "(closed_at IS NULL) = (counted IS NULL) AND (counted IS NULL) = (expected IS NULL)",
            name="closed",
        ),
        line(_("Cash desks: what was in the drawer when it was opened and counted")),
    )


class CashMovement(Base):
    """Cash that went into the drawer, or (below zero) out of it."""

    __tablename__ = "car_hire_cash_movements"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    desk_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_cash_desks.id"))
    kind: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = money_column()
    key: Mapped[str] = mapped_column(Text)
    """What it was for: nothing is counted twice."""
    booking_id: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(Text, default="")
    moved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    moved_by: Mapped[UUID | None]

    __table_args__ = (
        Index("uq_car_hire_cash_movements_key", "key", unique=True),
        Index("ix_car_hire_cash_movements_desk_id", "desk_id", "id"),
        CheckConstraint(
            "kind IN ('taken', 'given_back', 'paid_in', 'paid_out')"
            " AND (amount > 0) = (kind IN ('taken', 'paid_in')) AND amount <> 0",
            name="kind",
        ),
        line(_("Cash that went into the drawer and out of it")),
    )


class Transfer(Base):
    """A bank transfer that somebody promised, found by its reference when it comes."""

    __tablename__ = "car_hire_transfers"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_bookings.id"))
    purpose: Mapped[str] = mapped_column(Text)
    """``charge`` for the price, ``rest`` for what is owed after the return."""
    reference: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = money_column()
    currency: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text, default="expected")
    payment_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    @property
    def total(self) -> Money:
        """What is waited for."""
        return Money(self.amount, self.currency)

    __table_args__ = (
        Index(
            "uq_car_hire_transfers_expected",
            "booking_id",
            "purpose",
            unique=True,
            postgresql_where=text("state = 'expected'"),
        ),
        Index("ix_car_hire_transfers_state", "state", "id"),
        CheckConstraint("state IN ('expected', 'received', 'given_up')", name="state"),
        CheckConstraint("purpose IN ('charge', 'rest')", name="purpose"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("(state = 'received') = (payment_id IS NOT NULL)", name="received"),
        line(_("Bank transfers that are waited for, and those that came")),
    )
