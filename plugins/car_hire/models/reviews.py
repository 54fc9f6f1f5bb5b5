"""What customers say of a hire, once it is over."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.crypto import EncryptedText
from core.db import Base
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models.fleet import line


class Review(Base):
    """One hire, one review: asked for by a link, of which only the digest is kept, and answered
    once. What people write is sealed: they write of others, too."""

    __tablename__ = "car_hire_reviews"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    hire_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_hires.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_customers.id"), index=True)
    link: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the secret in the link."""
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    stars: Mapped[int | None]
    remarks: Mapped[str | None] = mapped_column(EncryptedText())

    __table_args__ = (
        Index("uq_car_hire_reviews_hire_id", "hire_id", unique=True),
        Index("uq_car_hire_reviews_link", "link", unique=True),
        Index(
            "ix_car_hire_reviews_answered",
            "id",
            postgresql_where=text("answered_at IS NOT NULL"),
        ),
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
        CheckConstraint("(stars IS NULL) = (answered_at IS NULL)", name="answered"),
        line(_("Reviews of hires by customers")),
    )
