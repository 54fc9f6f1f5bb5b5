"""Vehicle classes, and the vehicles of each."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Numeric, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import LazyText, _
from core.ids import new_id


def line(keeps: LazyText) -> dict[str, Any]:
    """Of car hire's line of migrations; ``keeps`` is what the table holds, for whoever owns it."""
    return {"info": {"line": "car_hire", "keeps": keeps}}


GEARS: Final[dict[str, LazyText]] = {"manual": _("Manual"), "automatic": _("Automatic")}

FUELS: Final[dict[str, LazyText]] = {
    "petrol": _("Petrol"),
    "diesel": _("Diesel"),
    "hybrid": _("Hybrid"),
    "electric": _("Electric"),
}

VEHICLE_STATUSES: Final[dict[str, LazyText]] = {
    "available": _("Available"),
    "maintenance": _("In maintenance"),
    "retired": _("Retired"),
}

FULL_TANK: Final = 8
"""Fuel is counted in eighths of a tank, as gauges show it."""


def money_column() -> Mapped[Decimal]:
    """An amount; its unit stands in a column of the same row."""
    return mapped_column(Numeric(20, 6))


class VehicleClass(Base):
    """What customers choose: a kind of car. What it costs, the price lists say."""

    __tablename__ = "car_hire_classes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    seats: Mapped[int]
    gears: Mapped[str] = mapped_column(Text)
    bags: Mapped[int | None]
    """How many suitcases go in; None: nobody has said."""
    fuel: Mapped[str | None] = mapped_column(Text)
    """What its cars run on; None: some on this, some on that."""
    photo_id: Mapped[UUID | None]
    """The stored file that the site shows."""
    currency: Mapped[str] = mapped_column(Text)
    minimum_age: Mapped[int]
    on_offer: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    @property
    def photo(self) -> str | None:
        """Where its photo is served; None if there is none."""
        return f"/files/{self.photo_id}" if self.photo_id else None

    __table_args__ = (
        Index("uq_car_hire_classes_name", func.lower(text("name")), unique=True),
        CheckConstraint("seats BETWEEN 1 AND 60", name="seats"),
        CheckConstraint("gears IN ('manual', 'automatic')", name="gears"),
        CheckConstraint("bags BETWEEN 0 AND 60", name="bags"),
        CheckConstraint("fuel IN ('petrol', 'diesel', 'hybrid', 'electric')", name="fuel"),
        CheckConstraint("minimum_age BETWEEN 16 AND 99", name="minimum_age"),
        line(_("Classes of cars")),
    )


class Vehicle(Base):
    """One car. ``plate`` is upper case without spaces; no two cars in service share one."""

    __tablename__ = "car_hire_vehicles"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    class_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_classes.id"), index=True)
    make: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    year: Mapped[int]
    colour: Mapped[str] = mapped_column(Text)
    plate: Mapped[str] = mapped_column(Text)
    vin: Mapped[str | None] = mapped_column(Text)
    odometer_km: Mapped[int]
    fuel_eighths: Mapped[int]
    status: Mapped[str] = mapped_column(Text, default="available")
    home_branch_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_branches.id"))
    """Where it belongs."""
    branch_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_branches.id"))
    """Where it was seen last, at ``branch_since``; see ``services.branches.whereabouts``."""
    branch_since: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    retired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    retired_why: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("ix_car_hire_vehicles_home_branch_id", "home_branch_id", "id"),
        Index("ix_car_hire_vehicles_branch_id", "branch_id", "id"),
        Index(
            "uq_car_hire_vehicles_plate",
            "plate",
            unique=True,
            postgresql_where=text("status <> 'retired'"),
        ),
        Index("uq_car_hire_vehicles_vin", "vin", unique=True),
        CheckConstraint("year BETWEEN 1900 AND 2200", name="year"),
        CheckConstraint("odometer_km BETWEEN 0 AND 9999999", name="odometer"),
        CheckConstraint("fuel_eighths BETWEEN 0 AND 8", name="fuel"),
        CheckConstraint("status IN ('available', 'maintenance', 'retired')", name="status"),
        line(_("Cars with their plates, papers and state")),
    )

    @property
    def title(self) -> str:
        """How people name it: ``Renault Clio · AA-12-BB``."""
        return f"{self.make} {self.model} · {self.plate}"
