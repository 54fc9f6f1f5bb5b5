"""When cars want service, and when they had it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models.fleet import line


class ServiceInterval(Base):
    """Something that cars want every so many kilometres, days or hires: whichever comes first."""

    __tablename__ = "car_hire_service_intervals"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(Text)
    class_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_classes.id"))
    """Of which cars; None: of all."""
    every_km: Mapped[int | None]
    every_days: Mapped[int | None]
    every_hires: Mapped[int | None]
    hours: Mapped[int] = mapped_column(default=4)
    """How long a car is away for it."""
    in_use: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        CheckConstraint("every_km > 0 AND every_days > 0 AND every_hires > 0", name="positive"),
        CheckConstraint("num_nonnulls(every_km, every_days, every_hires) > 0", name="some"),
        CheckConstraint("hours BETWEEN 1 AND 240", name="hours"),
        line(_("What service cars want, and how often")),
    )


class ServiceRecord(Base):
    """A car had a service."""

    __tablename__ = "car_hire_service_records"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vehicle_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_vehicles.id"))
    interval_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_service_intervals.id"))
    done_on: Mapped[date] = mapped_column(Date)
    odometer_km: Mapped[int]
    notes: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("ix_car_hire_service_records_vehicle_id", "vehicle_id", "interval_id", "done_on"),
        CheckConstraint("odometer_km BETWEEN 0 AND 9999999", name="odometer"),
        line(_("Services that cars had")),
    )
