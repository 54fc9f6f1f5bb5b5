"""Fines and tolls of the time of a hire, which come weeks after it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import LazyText, _
from core.ids import new_id
from core.money import Money
from plugins.car_hire.models import states
from plugins.car_hire.models.fleet import line, money_column

LATER_KINDS: Final[dict[str, LazyText]] = {
    "fine": _("Fine"),
    "toll": _("Toll"),
    "parking": _("Parking"),
}
_KINDS: Final = ", ".join(f"'{kind}'" for kind in LATER_KINDS)


class LaterCharge(Base):
    """What somebody else asks of the business for a time when a customer had the car.

    ``amount`` is handed on as it is, without tax; ``fee`` is what the business takes for the work,
    before tax. Customer and hire are found by plate and time when it is noted.
    """

    __tablename__ = "car_hire_later_charges"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="recorded")
    hire_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_hires.id"))
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_bookings.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_customers.id"))
    vehicle_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_vehicles.id"))
    happened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    authority: Mapped[str] = mapped_column(Text)
    """Who asks for it: a police, a motorway."""
    reference: Mapped[str] = mapped_column(Text)
    """Their number; one of theirs is noted once."""
    currency: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = money_column()
    fee: Mapped[Decimal] = money_column()
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(7, 6))
    """Of the fee, as a fraction."""
    gross: Mapped[Decimal] = money_column()
    file_id: Mapped[UUID | None]
    """What they sent, to be shown to the customer."""
    link: Mapped[bytes | None] = mapped_column(LargeBinary)
    """SHA-256 of the secret in the link by which it is paid, once one was sent."""
    said: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Why it is contested or waived."""
    payment_id: Mapped[UUID | None]
    recorded_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    charged_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def total(self) -> Money:
        """What the customer pays, tax included."""
        return Money(self.gross, self.currency)

    @property
    def handed_on(self) -> Money:
        """What is asked for, as it is."""
        return Money(self.amount, self.currency)

    @property
    def own_fee(self) -> Money:
        """What the business takes for the work, tax included."""
        return Money(self.gross - self.amount, self.currency)

    __table_args__ = (
        Index("uq_car_hire_later_charges_reference", "authority", "reference", unique=True),
        Index("uq_car_hire_later_charges_link", "link", unique=True),
        Index("ix_car_hire_later_charges_state", "state", "id"),
        Index("ix_car_hire_later_charges_booking_id", "booking_id"),
        Index("ix_car_hire_later_charges_customer_id", "customer_id", "id"),
        CheckConstraint(f"kind IN ({_KINDS})", name="kind"),
        CheckConstraint(states.words(states.LATER), name="state"),
        CheckConstraint("amount > 0 AND fee >= 0 AND gross >= amount + fee", name="amounts"),
        line(_("Fines and tolls of the time of a hire, and who paid them")),
    )
