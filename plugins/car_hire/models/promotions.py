"""Promotion codes: what customers type to pay less, and for which booking each was used."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models.fleet import line, money_column


class Promotion(Base):
    """A share of the time charge, or an amount, taken off by whoever types ``code``.

    What is None does not limit it; without ``class_ids`` it goes with every class, without
    ``branch_ids`` with a pick-up at every branch. The code never changes, since kept quotes go by
    it.
    """

    __tablename__ = "car_hire_promotions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    code: Mapped[str] = mapped_column(Text)
    texts: Mapped[dict[str, str]] = mapped_column(JSONB)
    share: Mapped[Decimal] = mapped_column(Numeric(6, 4))
    """Of the time charge: 0.15 for 15 %."""
    amount: Mapped[Decimal] = money_column()
    """Net of tax, off one hire."""
    booked_from: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    booked_to: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    hired_from: Mapped[date | None]
    """The first day on which a hire may begin, by the business's calendar."""
    hired_to: Mapped[date | None]
    """The last day on which it may end."""
    class_ids: Mapped[list[str]] = mapped_column(JSONB)
    branch_ids: Mapped[list[str]] = mapped_column(JSONB)
    days_from: Mapped[int | None]
    """The fewest days charged."""
    most_uses: Mapped[int | None]
    most_each: Mapped[int | None]
    """The most bookings of one customer."""
    combines: Mapped[bool]
    """Whether it is taken off beside the students' discount; otherwise the better one counts."""
    active: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("uq_car_hire_promotions_code", "code", unique=True),
        Index("ix_car_hire_promotions_active", "active", "id"),
        CheckConstraint("share BETWEEN 0 AND 1 AND amount >= 0", name="amounts"),
        CheckConstraint("(share = 0) <> (amount = 0)", name="kind"),
        CheckConstraint("booked_to > booked_from", name="booked"),
        CheckConstraint("hired_to >= hired_from", name="hired"),
        CheckConstraint("days_from >= 1 AND most_uses >= 1 AND most_each >= 1", name="limits"),
        line(_("Promotion codes, and what limits them")),
    )


class PromotionUse(Base):
    """A booking that stands, made with a code; it goes when the booking is cancelled or expires.

    ``services.promotions.using`` alone writes it, holding the promotion's lock.
    """

    __tablename__ = "car_hire_promotion_uses"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    promotion_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_promotions.id"))
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_bookings.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_customers.id"))
    used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("uq_car_hire_promotion_uses_booking_id", "booking_id", unique=True),
        Index("ix_car_hire_promotion_uses_promotion_id", "promotion_id", "customer_id"),
        Index("ix_car_hire_promotion_uses_customer_id", "customer_id"),
        line(_("Which booking was made with which promotion code")),
    )
