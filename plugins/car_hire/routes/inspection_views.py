"""What the API answers about inspections and damage."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from plugins.car_hire.models import InspectionPicture
from plugins.car_hire.routes.views import RowView, View
from plugins.car_hire.services.inspections.looking import Look, Mark


class PictureView(View, frozen=True, kw_only=True):
    """A photo or signature; ``path`` is where it is served to those who may see it."""

    id: UUID
    view: str
    path: str

    @classmethod
    def of(cls, row: InspectionPicture) -> Self:
        """As it is kept."""
        return cls(id=row.id, view=row.view, path=f"/api/v1{row.path}")


class DamageView(RowView, frozen=True, kw_only=True):
    """Damage: where on the drawing, what, and whether it is mended; the price is net of tax."""

    id: UUID
    version: int
    vehicle_id: UUID
    inspection_id: UUID
    zone: str
    kind: str
    severity: str
    x: int
    y: int
    note: str
    charged: bool
    price: Decimal | None
    currency: str
    created_at: datetime
    mended_at: datetime | None


class MarkView(View, frozen=True, kw_only=True):
    """A mark with its photo."""

    damage: DamageView
    picture: PictureView | None

    @classmethod
    def of(cls, mark: Mark) -> Self:
        """As it was found."""
        picture = PictureView.of(mark.picture) if mark.picture else None
        return cls(damage=DamageView.of(mark.damage), picture=picture)


class InspectionView(View, frozen=True, kw_only=True):
    """An inspection; until ``done_at`` it is a draft."""

    id: UUID
    version: int
    booking_id: UUID
    vehicle_id: UUID
    kind: str
    odometer_km: int | None
    fuel_eighths: int | None
    licence_seen: bool
    cleaning: str | None
    notes: str
    customer_name: str
    staff_name: str
    done_at: datetime | None
    pictures: list[PictureView]
    new: list[MarkView]
    known: list[MarkView]

    @classmethod
    def of(cls, look: Look) -> Self:
        """As it is kept, with what belongs to it."""
        row = look.inspection
        shots = (*look.shots, *look.close_ups, *look.signatures)
        parts = ("pictures", "new", "known")
        kept = {name: getattr(row, name) for name in cls.__struct_fields__ if name not in parts}
        return cls(
            pictures=[PictureView.of(each.taken) for each in shots if each.taken],
            new=[MarkView.of(each) for each in look.new],
            known=[MarkView.of(each) for each in look.known],
            **kept,
        )
