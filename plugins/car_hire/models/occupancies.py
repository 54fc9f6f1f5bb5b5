"""For which stretch of time a car is spoken for, and by what: the one table that decides."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import LazyText, _
from core.ids import new_id
from plugins.car_hire.models.fleet import line

NO_OVERLAP: Final = "ex_car_hire_occupancies_vehicle_period"
"""The constraint that is the authority on double bookings."""

BLOCK_REASONS: Final[dict[str, LazyText]] = {
    "maintenance": _("Maintenance"),
    "transfer": _("Transfer to another branch"),
    "offer": _("Held for who waits"),
    "other": _("Kept back"),
}


class Block(Base):
    """A time in which a car is not for hire. ``ends_at`` is when it really ended, once it did."""

    __tablename__ = "car_hire_blocks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    vehicle_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_vehicles.id"))
    reason: Mapped[str] = mapped_column(Text)
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    notes: Mapped[str] = mapped_column(Text, default="")
    ended_early: Mapped[bool] = mapped_column(default=False)
    from_branch_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_branches.id"))
    to_branch_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_branches.id"))
    """Of a transfer: between which branches."""
    driver: Mapped[str | None] = mapped_column(Text)
    """Of a transfer: who drives, if that is known."""
    arrived_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Of a transfer: when somebody said that the car is there."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("ix_car_hire_blocks_vehicle_id", "vehicle_id", "id"),
        Index(
            "ix_car_hire_blocks_on_the_way",
            "starts_at",
            "id",
            postgresql_where=text(
                "to_branch_id IS NOT NULL AND arrived_at IS NULL AND NOT ended_early"
            ),
        ),
        CheckConstraint("reason IN ('maintenance', 'transfer', 'offer', 'other')", name="reason"),
        CheckConstraint("ends_at >= starts_at", name="period"),
        CheckConstraint(
            "(from_branch_id IS NULL) = (to_branch_id IS NULL)"
            " AND (reason = 'transfer' OR to_branch_id IS NULL)",
            name="branches",
        ),
        line(_("Times in which a car is not for hire, and why")),
    )


class Occupancy(Base):
    """A car, a half-open stretch of time, and the one booking or block that has it.

    A booking has a row exactly as long as its state keeps the car from others: the hire, with
    the cleaning after it; from the hand-over on, where that is early. A row is written by
    ``services.occupying`` alone, by whoever holds the car's lock. That a booking and its row name
    the same car is held by the foreign key, asked when the transaction ends: the row comes first.
    """

    __tablename__ = "car_hire_occupancies"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vehicle_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_vehicles.id"))
    period: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    booking_id: Mapped[UUID | None]
    block_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_blocks.id"))
    from_branch_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_branches.id"))
    to_branch_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_branches.id"))
    """Where the car is before and after; neither is said where the car stays where it is."""

    __table_args__ = (
        ForeignKeyConstraint(
            ("booking_id", "vehicle_id"),
            ("car_hire_bookings.id", "car_hire_bookings.vehicle_id"),
            name="fk_car_hire_occupancies_booking_id_car_hire_bookings",
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("uq_car_hire_occupancies_booking_id", "booking_id", unique=True),
        Index("uq_car_hire_occupancies_block_id", "block_id", unique=True),
        Index(
            "ix_car_hire_occupancies_moves",
            "vehicle_id",
            text("lower(period)"),
            postgresql_where=text("from_branch_id <> to_branch_id"),
        ),
        CheckConstraint("num_nonnulls(booking_id, block_id) = 1", name="one_reason"),
        CheckConstraint(
            "num_nonnulls(from_branch_id, to_branch_id) IN (0, 2)"
            " AND (booking_id IS NULL OR to_branch_id IS NOT NULL)",
            name="branches",
        ),
        CheckConstraint(
            "NOT isempty(period) AND lower_inc(period) AND NOT upper_inc(period)", name="period"
        ),
        ExcludeConstraint(("vehicle_id", "="), ("period", "&&"), name=NO_OVERLAP, using="gist"),
        line(_("Which car is spoken for, when, and by what")),
    )
