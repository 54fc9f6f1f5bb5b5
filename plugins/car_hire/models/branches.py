"""Where cars are picked up and brought back, and when somebody is there."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models.fleet import line

Spans = list[list[str]]
"""When a day is open: pairs of wall-clock times such as ``["09:00", "13:00"]``, in order."""


class Branch(Base):
    """A branch. ``hours`` has the spans of each ISO day of the week; empty, nobody keeps hours,
    and any time will do."""

    __tablename__ = "car_hire_branches"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    """Short and upper case, as on key tags: ``LIS``."""
    street_address: Mapped[str] = mapped_column(Text, default="")
    desk_phone: Mapped[str] = mapped_column(Text, default="")
    desk_email: Mapped[str] = mapped_column(Text, default="")
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(8, 6))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    is_airport: Mapped[bool] = mapped_column(default=False)
    serves_out_of_hours: Mapped[bool] = mapped_column(default=False)
    """Whether customers may pick up and bring back while it is closed, for the fee."""
    is_main: Mapped[bool] = mapped_column(default=False)
    """The one that counts where none was chosen."""
    in_use: Mapped[bool] = mapped_column(default=True)
    """Whether anybody may still choose it."""
    hours: Mapped[dict[str, Spans]] = mapped_column(JSONB, default=dict)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("uq_car_hire_branches_name", func.lower(text("name")), unique=True),
        Index("uq_car_hire_branches_code", "code", unique=True),
        Index(
            "uq_car_hire_branches_main", "is_main", unique=True, postgresql_where=text("is_main")
        ),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="coordinates"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
        CheckConstraint("in_use OR NOT is_main", name="main_in_use"),
        line(_("Branches with their addresses and opening hours")),
    )


class BranchStaff(Base):
    """Somebody at the desk works at this branch; who has none works at all of them."""

    __tablename__ = "car_hire_branch_staff"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    branch_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_branches.id"), primary_key=True)

    __table_args__ = (
        Index("ix_car_hire_branch_staff_branch_id", "branch_id"),
        line(_("Who works at which branch")),
    )


class BranchDay(Base):
    """A day on which a branch keeps other hours than usual; without spans it is closed."""

    __tablename__ = "car_hire_branch_days"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    branch_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_branches.id"))
    day: Mapped[date] = mapped_column(Date)
    name: Mapped[str] = mapped_column(Text)
    spans: Mapped[Spans] = mapped_column(JSONB, default=list)

    __table_args__ = (
        Index("uq_car_hire_branch_days_day", "branch_id", "day", unique=True),
        line(_("Holidays and special opening hours of branches")),
    )
