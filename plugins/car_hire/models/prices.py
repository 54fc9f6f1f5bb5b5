"""Price lists in versions: what is published never changes, the newest that has begun counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models.fleet import line


class PriceList(Base):
    """One version of a business's prices: a draft, or published from ``effective_from`` on.

    ``rules`` is a ``pricing.HouseRules``. Changing its classes' prices changes ``version`` too:
    a list is edited as a whole.
    """

    __tablename__ = "car_hire_price_lists"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    number: Mapped[int]
    """1, 2, 3 … in the order in which they were begun."""
    state: Mapped[str] = mapped_column(Text, default="draft")
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB)
    effective_from: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    published_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("uq_car_hire_price_lists_number", "number", unique=True),
        Index(
            "uq_car_hire_price_lists_draft",
            "state",
            unique=True,
            postgresql_where=text("state = 'draft'"),
        ),
        Index("ix_car_hire_price_lists_effective_from", "effective_from", "number"),
        CheckConstraint("state IN ('draft', 'published')", name="state"),
        CheckConstraint(
            "(state = 'published') = (effective_from IS NOT NULL AND published_at IS NOT NULL)",
            name="published",
        ),
        line(_("Price lists in versions: seasons, taxes and fees, and from when each counts")),
    )


class ClassPriceRow(Base):
    """What one class costs by one list: ``prices`` is a ``pricing.ClassPrices``."""

    __tablename__ = "car_hire_class_prices"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    list_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_price_lists.id"))
    class_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_classes.id"), index=True)
    prices: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (
        Index("uq_car_hire_class_prices_class", "list_id", "class_id", unique=True),
        line(_("What each class costs by each price list")),
    )
