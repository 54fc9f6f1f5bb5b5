"""Calendars that are read from outside, by an address that is a secret."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import LazyText, _
from core.ids import new_id
from plugins.car_hire.models.fleet import line

FEED_SHOWS: Final[dict[str, LazyText]] = {
    "plate": _("Which car: its plate"),
    "customer": _("The customer's name"),
    "phone": _("The customer's telephone"),
}
"""What a feed of the desk tells beside class, number and branch."""


class CalendarFeed(Base):
    """Pick-ups and returns of the desk, of a branch, class or car if one is named; or one
    customer's own bookings. ``address`` is a keyed hash of the secret, which nobody keeps."""

    __tablename__ = "car_hire_calendar_feeds"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    title: Mapped[str] = mapped_column(Text)
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_customers.id"))
    branch_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_branches.id"))
    class_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_classes.id"))
    vehicle_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_vehicles.id"))
    shows: Mapped[list[str]] = mapped_column(JSONB, default=list)
    """Of ``FEED_SHOWS``, what whoever made it chose."""
    address: Mapped[bytes] = mapped_column(LargeBinary)
    made_by: Mapped[str] = mapped_column(Text)
    """Who made it, as they were called then."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    renewed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index("uq_car_hire_calendar_feeds_address", "address", unique=True),
        Index(
            "uq_car_hire_calendar_feeds_customer_id",
            "customer_id",
            unique=True,
            postgresql_where=text("customer_id IS NOT NULL"),
        ),
        CheckConstraint(
            "customer_id IS NULL OR num_nonnulls(branch_id, class_id, vehicle_id) = 0",
            name="whose",
        ),
        line(_("Calendars that are read by a secret address")),
    )
