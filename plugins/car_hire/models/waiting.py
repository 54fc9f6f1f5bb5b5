"""Who waits for a car of a class that is taken, in the order in which they came."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import LazyText, _
from core.ids import new_id
from plugins.car_hire.models.fleet import line

WAIT_STATES: Final[dict[str, LazyText]] = {
    "waiting": _("Waiting"),
    "offered": _("Offered a car"),
    "taken": _("Booked"),
    "passed": _("Offer not taken"),
    "left": _("Left the list"),
    "over": _("Time has come"),
}


class Wait(Base):
    """Somebody who wants a car of a class from ``starts_at`` to ``ends_at``, should one get free.

    Who is offered one has a quote until ``offer_until``, and a block keeps the car. ``link`` opens
    their page, and ``offer_link`` does too, from the letter with the offer.
    """

    __tablename__ = "car_hire_waits"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    class_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_classes.id"))
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    pick_up_branch_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_branches.id"))
    return_branch_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_branches.id"))
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_customers.id"))
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="waiting")
    link: Mapped[bytes] = mapped_column(LargeBinary)
    offer_link: Mapped[bytes | None] = mapped_column(LargeBinary)
    quote_id: Mapped[UUID | None]
    """The price that was offered; it is forgotten once nobody booked it."""
    block_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_blocks.id"))
    offer_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index(
            "uq_car_hire_waits_same",
            text("lower(email)"),
            "class_id",
            "starts_at",
            "ends_at",
            unique=True,
            postgresql_where=text("state IN ('waiting', 'offered')"),
        ),
        Index("uq_car_hire_waits_link", "link", unique=True),
        Index("uq_car_hire_waits_offer_link", "offer_link", unique=True),
        Index(
            "ix_car_hire_waits_waiting",
            "class_id",
            "id",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_car_hire_waits_state", "state", "id"),
        Index("ix_car_hire_waits_block_id", "block_id"),
        Index("ix_car_hire_waits_customer_id", "customer_id"),
        Index("ix_car_hire_waits_starts_at", "starts_at"),
        CheckConstraint(
            "state IN ('waiting', 'offered', 'taken', 'passed', 'left', 'over')", name="state"
        ),
        CheckConstraint("ends_at > starts_at", name="period"),
        CheckConstraint(
            "state <> 'offered' OR num_nonnulls(quote_id, block_id, offer_until) = 3", name="offer"
        ),
        line(_("Who waits for a car of a class that is taken")),
    )
