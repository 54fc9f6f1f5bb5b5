"""What was seen of a car when it left and came back: readings, photos, damage, signatures."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Numeric, SmallInteger, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.crypto import EncryptedText
from core.db import Base
from core.i18n import LazyText, _
from core.ids import new_id
from plugins.car_hire.models.fleet import line
from plugins.car_hire.models.zones import CLEANING, KINDS, SEVERITIES, ZONES


def _words(column: str, known: dict[str, Any]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in known)})"


class Inspection(Base):
    """A car looked at with its customer, once before it leaves and once when it is back.

    Begun, it is a draft that anybody at the desk goes on with; done, it never changes.
    """

    __tablename__ = "car_hire_inspections"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_bookings.id"))
    vehicle_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_vehicles.id"))
    kind: Mapped[str] = mapped_column(Text)
    odometer_km: Mapped[int | None]
    fuel_eighths: Mapped[int | None]
    licence_seen: Mapped[bool] = mapped_column(default=False)
    cleaning: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[str] = mapped_column(EncryptedText())
    """What was seen of the customer's papers, and whatever else is worth remembering."""
    customer_name: Mapped[str] = mapped_column(EncryptedText())
    """Typed in place of a signature, or below it."""
    staff_name: Mapped[str] = mapped_column(Text, default="")
    begun_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        # A car swapped in the middle of a hand-over is another car to look at.
        Index("uq_car_hire_inspections_booking", "booking_id", "kind", "vehicle_id", unique=True),
        Index("ix_car_hire_inspections_vehicle_id", "vehicle_id", "id"),
        CheckConstraint("kind IN ('out', 'in')", name="kind"),
        CheckConstraint("odometer_km BETWEEN 0 AND 9999999", name="odometer"),
        CheckConstraint("fuel_eighths BETWEEN 0 AND 8", name="fuel"),
        CheckConstraint(_words("cleaning", CLEANING), name="cleaning"),
        line(_("Check-outs and check-ins: readings, notes on papers, who signed")),
    )


class Damage(Base):
    """Something on a car that was not there before; it counts once its inspection is done.

    ``id`` is made by the device that notes it, so that noting it again changes nothing.
    """

    __tablename__ = "car_hire_damages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    vehicle_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_vehicles.id"))
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_inspections.id"))
    zone: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(Text)
    x: Mapped[int] = mapped_column(SmallInteger)
    y: Mapped[int] = mapped_column(SmallInteger)
    note: Mapped[str] = mapped_column(Text, default="")
    charged: Mapped[bool] = mapped_column(default=True)
    """Whether the customer who brought it pays; wear of years is nobody's."""
    price: Mapped[Decimal | None] = mapped_column(Numeric(20, 6))
    """What the desk says that it costs, net of tax; None: what the table of prices says."""
    currency: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    mended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    mended_by: Mapped[UUID | None]

    __table_args__ = (
        Index("ix_car_hire_damages_vehicle_id", "vehicle_id", "id"),
        Index("ix_car_hire_damages_inspection_id", "inspection_id", "id"),
        CheckConstraint(_words("kind", KINDS), name="kind"),
        CheckConstraint(_words("severity", SEVERITIES), name="severity"),
        CheckConstraint("price >= 0", name="price"),
        line(_("Damage on cars: where, what, since when, and whether it is mended")),
    )

    @property
    def title(self) -> LazyText:
        """How people name its place."""
        return ZONES[self.zone].title


class InspectionPicture(Base):
    """A photo or a signature; ``id`` is made by the device, so that sending it again adds none."""

    __tablename__ = "car_hire_inspection_pictures"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_inspections.id"))
    view: Mapped[str] = mapped_column(Text)
    damage_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_damages.id"))
    file_id: Mapped[UUID] = mapped_column()
    """Of the file in the area ``car_hire.inspections``."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index(
            "uq_car_hire_inspection_pictures_view",
            "inspection_id",
            "view",
            unique=True,
            postgresql_where=sql("damage_id IS NULL"),
        ),
        Index("uq_car_hire_inspection_pictures_damage_id", "damage_id", unique=True),
        Index("ix_car_hire_inspection_pictures_inspection_id", "inspection_id"),
        Index("uq_car_hire_inspection_pictures_file_id", "file_id", unique=True),
        CheckConstraint("(view = 'damage') = (damage_id IS NOT NULL)", name="damage"),
        line(_("Photos of cars at check-out and check-in, and signatures")),
    )

    @property
    def path(self) -> str:
        """Where it is served, to those who may see it."""
        return f"/files/{self.file_id}"


class DamagePrices(Base):
    """One version of what damage and cleaning cost, from ``effective_from`` on.

    ``prices`` is a ``services.damages.tables.Table``. A version never changes; a hire goes by the
    one that counted when it began.
    """

    __tablename__ = "car_hire_damage_prices"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[int]
    prices: Mapped[dict[str, Any]] = mapped_column(JSONB)
    effective_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    made_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("uq_car_hire_damage_prices_number", "number", unique=True),
        Index("ix_car_hire_damage_prices_effective_from", "effective_from", "number"),
        line(_("What damage and cleaning cost, in versions")),
    )
