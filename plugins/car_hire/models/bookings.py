"""Bookings promise a car; hires are cars on the road."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models import states
from plugins.car_hire.models.fleet import line, money_column


class Booking(Base):
    """One car of the class, kept for a customer from ``starts_at`` up to ``ends_at``.

    What it takes from the calendar stands in its occupancy, as long as it takes anything. A quote
    can be booked once, which makes a second click or a repeated request find the first booking.
    """

    __tablename__ = "car_hire_bookings"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    number: Mapped[str] = mapped_column(Text)
    """What people say on the telephone, such as ``7KQ2-M9FD``."""
    quote_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_quotes.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_customers.id"), index=True)
    class_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_classes.id"), index=True)
    vehicle_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_vehicles.id"))
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    pick_up_branch_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_branches.id"))
    return_branch_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_branches.id"))
    pinned: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether it must stay on its car; others may be moved to make room."""
    state: Mapped[str] = mapped_column(Text, default="pending_payment")
    channel: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    gross: Mapped[Decimal] = money_column()
    hold_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    payment_id: Mapped[UUID | None]
    paid_quote_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_quotes.id"))
    """The price that was paid, once a change made another: the bill settles the difference."""
    owed_at_pick_up: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """The customer pays when they pick the car up, and has not yet: it is not handed over."""
    company_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_companies.id"))
    """Whose account it goes on; None: the customer pays."""
    fee: Mapped[Decimal | None] = mapped_column(Numeric(20, 6))
    """What is kept of what was paid, or a company owes, of a booking that was cancelled or not
    come for."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("uq_car_hire_bookings_number", "number", unique=True),
        Index("uq_car_hire_bookings_quote_id", "quote_id", unique=True),
        Index("uq_car_hire_bookings_vehicle_id", "id", "vehicle_id", unique=True),
        Index("ix_car_hire_bookings_vehicle_id", "vehicle_id", "id"),
        Index(
            "ix_car_hire_bookings_paid_quote_id",
            "paid_quote_id",
            postgresql_where=text("paid_quote_id IS NOT NULL"),
        ),
        Index(
            "ix_car_hire_bookings_out",
            "vehicle_id",
            "ends_at",
            postgresql_where=text("state = 'out'"),
        ),
        Index(
            "ix_car_hire_bookings_company_id",
            "company_id",
            postgresql_where=text("company_id IS NOT NULL"),
        ),
        Index("ix_car_hire_bookings_starts_at", "starts_at", "id"),
        Index("ix_car_hire_bookings_pick_up_branch_id", "pick_up_branch_id", "id"),
        Index("ix_car_hire_bookings_return_branch_id", "return_branch_id", "id"),
        Index(
            "ix_car_hire_bookings_open",
            "state",
            "starts_at",
            postgresql_where=text("state IN ('pending_payment', 'confirmed', 'out')"),
        ),
        CheckConstraint(states.words(states.BOOKING), name="state"),
        CheckConstraint("channel IN ('site', 'desk', 'api')", name="channel"),
        CheckConstraint("ends_at > starts_at", name="period"),
        CheckConstraint("fee BETWEEN 0 AND gross", name="fee"),
        line(_("Bookings: who has which class, when, and at what price")),
    )


class Hire(Base):
    """A car on the road: what was read and done when it left and when it came back."""

    __tablename__ = "car_hire_hires"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_bookings.id"))
    vehicle_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_vehicles.id"))
    state: Mapped[str] = mapped_column(Text)
    odometer_out: Mapped[int]
    fuel_out: Mapped[int]
    deposit: Mapped[Decimal] = money_column()
    currency: Mapped[str] = mapped_column(Text)
    deposit_payment_id: Mapped[UUID | None]
    deposit_kept: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """The car is back, and the desk has not yet decided what is taken of the deposit."""
    steps: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'"))
    """What was entered at hand-over into the steps of other plugins, by plugin."""
    started_by: Mapped[UUID | None]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    returned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    odometer_in: Mapped[int | None]
    fuel_in: Mapped[int | None]
    taken_back_by: Mapped[UUID | None]
    return_branch_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_branches.id"))
    """Where it really came back."""
    billed: Mapped[Decimal | None] = mapped_column(Numeric(20, 6))
    """The sum of the bill's lines, tax included."""
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    @property
    def needs_hold(self) -> bool:
        """Whether its deposit must be reserved now."""
        return self.state == "out" or (self.state == "returned" and self.deposit_kept)

    __table_args__ = (
        Index("uq_car_hire_hires_booking_id", "booking_id", unique=True),
        Index("ix_car_hire_hires_vehicle_id", "vehicle_id", "returned_at"),
        # A car can be on one journey at a time, whatever the calendar says.
        Index(
            "uq_car_hire_hires_vehicle_out",
            "vehicle_id",
            unique=True,
            postgresql_where=text("state IN ('awaiting_deposit', 'out')"),
        ),
        CheckConstraint(states.words(states.HIRE), name="state"),
        CheckConstraint("fuel_out BETWEEN 0 AND 8 AND fuel_in BETWEEN 0 AND 8", name="fuel"),
        CheckConstraint("odometer_out >= 0 AND odometer_in >= odometer_out", name="odometer"),
        CheckConstraint("returned_at >= started_at", name="times"),
        CheckConstraint(
            "state NOT IN ('returned', 'closed') OR (returned_at IS NOT NULL"
            " AND odometer_in IS NOT NULL AND fuel_in IS NOT NULL AND billed IS NOT NULL)",
            name="returned",
        ),
        line(_("Hires: what was read and agreed when a car left and came back")),
    )
