"""Extras and covers: what is hired with a car, what it costs from when, and who has it when."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import LazyText, _
from core.ids import new_id
from plugins.car_hire.models.fleet import line, money_column

EXTRA_KINDS: Final[dict[str, LazyText]] = {
    "extra": _("Extra"),
    "driver": _("Additional driver"),
    "basic": _("Cover in every hire"),
    "cover": _("Cover to choose"),
    "partial": _("Cover beside the others"),
}
COVERS: Final = ("basic", "cover", "partial")
PER: Final[dict[str, LazyText]] = {"day": _("Each day"), "hire": _("The whole hire")}
SIDES: Final[dict[str, LazyText]] = {
    "front": _("Front"),
    "rear": _("Rear"),
    "left": _("Left side"),
    "right": _("Right side"),
    "roof": _("Roof"),
    "glass": _("Glass and mirrors"),
    "wheels": _("Tyres and wheels"),
    "underbody": _("Underbody"),
    "interior": _("Interior"),
}
"""What of a car a cover includes or leaves out; the zones of a drawing are each of one of them."""


class Extra(Base):
    """Something hired with a car; ``code`` never changes, since kept quotes go by it.

    ``stock`` None is as many as one likes. A cover has ``zones``, the damage to which it limits to
    its excess. Without ``class_ids`` it goes with every class.
    """

    __tablename__ = "car_hire_extras"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    code: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    texts: Mapped[dict[str, str]] = mapped_column(JSONB)
    about: Mapped[dict[str, str]] = mapped_column(JSONB)
    stock: Mapped[int | None]
    most: Mapped[int]
    """Of one hire."""
    class_ids: Mapped[list[str]] = mapped_column(JSONB)
    zones: Mapped[list[str]] = mapped_column(JSONB)
    on_offer: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("uq_car_hire_extras_code", "code", unique=True),
        Index(
            "uq_car_hire_extras_driver",
            "kind",
            unique=True,
            postgresql_where=text("kind = 'driver' AND on_offer"),
        ),
        CheckConstraint("kind IN ('extra', 'driver', 'basic', 'cover', 'partial')", name="kind"),
        CheckConstraint("stock >= 0 AND (stock IS NULL OR kind = 'extra')", name="stock"),
        CheckConstraint("most BETWEEN 1 AND 20", name="most"),
        line(_("Extras and covers, and how many there are")),
    )

    @property
    def is_cover(self) -> bool:
        """Whether it limits what damage costs."""
        return self.kind in COVERS


class ExtraPrice(Base):
    """What an extra costs in quotes made from ``effective_from`` on; of those that have begun the
    newest counts. ``excess`` is what a cover leaves the customer to pay for each damage."""

    __tablename__ = "car_hire_extra_prices"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    extra_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_extras.id"))
    effective_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    per: Mapped[str] = mapped_column(Text)
    price: Mapped[Decimal] = money_column()
    """Net of tax, in the tenant's currency."""
    cap: Mapped[Decimal | None] = mapped_column(Numeric(20, 6))
    excess: Mapped[Decimal] = money_column()
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("uq_car_hire_extra_prices_from", "extra_id", "effective_from", unique=True),
        CheckConstraint("per IN ('day', 'hire')", name="per"),
        CheckConstraint("price >= 0 AND cap >= 0 AND excess >= 0", name="amounts"),
        line(_("What each extra costs, and from when")),
    )


class ExtraReservation(Base):
    """So many of an extra, kept for a booking as long as its car is; ``services.extras.reserving``
    alone writes it, holding the extra's lock."""

    __tablename__ = "car_hire_extra_reservations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_bookings.id"))
    extra_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_extras.id"))
    quantity: Mapped[int]
    period: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)

    __table_args__ = (
        Index("uq_car_hire_extra_reservations_booking", "booking_id", "extra_id", unique=True),
        Index(
            "ix_car_hire_extra_reservations_period", "extra_id", "period", postgresql_using="gist"
        ),
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint("NOT isempty(period)", name="period"),
        line(_("Which extras are kept for which booking, and when")),
    )
