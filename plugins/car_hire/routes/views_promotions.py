"""How the API shows promotion codes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from plugins.car_hire.models import Promotion
from plugins.car_hire.routes import views


class PromotionView(views.View, frozen=True, kw_only=True):
    """A code; ``amount`` is net of tax, ``percent`` are of the time charge, and None does not limit
    it. ``uses`` are bookings that stand."""

    id: UUID
    version: int
    code: str
    names: dict[str, str]
    percent: Decimal | None
    amount: Decimal | None
    booked_from: datetime | None
    booked_to: datetime | None
    hired_from: date | None
    hired_to: date | None
    class_ids: list[str]
    branch_ids: list[str]
    days_from: int | None
    most_uses: int | None
    most_each: int | None
    combines: bool
    active: bool
    uses: int

    @classmethod
    def of(cls, row: Promotion, counts: Mapping[UUID, int]) -> Self:
        """As it is kept, with how often it was used."""
        made = {"names", "percent", "amount", "uses"}
        return cls(
            names=row.texts,
            percent=row.share * 100 if row.share else None,
            amount=row.amount or None,
            uses=counts.get(row.id, 0),
            **{name: getattr(row, name) for name in cls.__struct_fields__ if name not in made},
        )
