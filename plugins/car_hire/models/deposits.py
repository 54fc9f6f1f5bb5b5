"""Deposits that could not be renewed: whose bank said no, and the link to authorise again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models.fleet import line


class DepositRefusal(Base):
    """The bank would not hold the amount anew; one for each hold that was to be renewed.

    Of the link that the customer got only the digest is kept. Another card makes another hold,
    and this is answered.
    """

    __tablename__ = "car_hire_deposit_refusals"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    hire_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_hires.id"))
    payment_id: Mapped[UUID]
    """The hold that was to be renewed."""
    reason: Mapped[str] = mapped_column(Text)
    """The provider's code, or ``no_saved_card``."""
    link: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the secret in the link."""
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index("uq_car_hire_deposit_refusals_payment_id", "payment_id", unique=True),
        Index("uq_car_hire_deposit_refusals_link", "link", unique=True),
        Index("ix_car_hire_deposit_refusals_hire_id", "hire_id", "id"),
        line(_("Deposits that could not be renewed, and when they were")),
    )
