"""What is kept of a car beside itself: its papers and its photos."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import LazyText, _
from core.ids import new_id
from plugins.car_hire.models.fleet import line

DOCUMENT_KINDS: Final[dict[str, LazyText]] = {
    "insurance": _("Insurance"),
    "inspection": _("Periodic inspection"),
    "road_tax": _("Road tax"),
    "registration": _("Registration"),
    "licence": _("Hire licence"),
    "other": _("Other papers"),
}


class VehicleDocument(Base):
    """One of a car's papers. Of a kind, that which is good longest counts; of others, each."""

    __tablename__ = "car_hire_vehicle_documents"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    vehicle_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_vehicles.id"))
    kind: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text, default="")
    valid_until: Mapped[date | None] = mapped_column(Date)
    """The last day on which it is good; None: it does not lapse."""
    required: Mapped[bool] = mapped_column(default=True)
    """Whether the car may not be on the road without it."""
    notes: Mapped[str] = mapped_column(Text, default="")
    file_id: Mapped[UUID | None]
    """Of the file in the area ``car_hire.documents``."""
    reminded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When staff were told that it lapses; once for each date."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("ix_car_hire_vehicle_documents_vehicle_id", "vehicle_id", "kind", "valid_until"),
        Index("ix_car_hire_vehicle_documents_valid_until", "valid_until", "id"),
        CheckConstraint(
            f"kind IN ({', '.join(repr(kind) for kind in DOCUMENT_KINDS)})", name="kind"
        ),
        line(_("Papers of cars: insurance, inspection, taxes, and until when they are good")),
    )

    @property
    def title(self) -> LazyText:
        """What kind of paper it is."""
        return DOCUMENT_KINDS[self.kind]


class VehiclePhoto(Base):
    """A photo of a car for the desk; classes have one of their own, for customers."""

    __tablename__ = "car_hire_vehicle_photos"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vehicle_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_vehicles.id"))
    file_id: Mapped[UUID] = mapped_column()
    """Of the file in the area ``car_hire.vehicles``."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("ix_car_hire_vehicle_photos_vehicle_id", "vehicle_id", "id"),
        Index("uq_car_hire_vehicle_photos_file_id", "file_id", unique=True),
        line(_("Photos of cars")),
    )

    @property
    def path(self) -> str:
        """Where it is served, to those who may see it."""
        return f"/files/{self.file_id}"
