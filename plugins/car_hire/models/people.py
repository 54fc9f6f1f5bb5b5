"""The people who hire. What the law protects is encrypted at rest."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Computed, DateTime, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.crypto import EncryptedDate, EncryptedText
from core.db import Base
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models.fleet import line

ACCENTED: Final = "ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöùúûüýÿ"
PLAIN: Final = "AAAAAACEEEEIIIINOOOOOUUUUYaaaaaaceeeeiiiinooooouuuuyy"
"""Names are found however they are typed: ``Ines`` is Inês, too."""
SOUGHT: Final = f"lower(translate(name || ' ' || email, '{ACCENTED}', '{PLAIN}'))"


class Customer(Base):
    """Somebody who hires or may hire; ``user_id`` is their sign-in, if they have one."""

    __tablename__ = "car_hire_customers"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    user_id: Mapped[UUID | None]
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    sought: Mapped[str] = mapped_column(
        Text,
        Computed(
            f"lower(translate(name || ' ' || email, '{ACCENTED}', '{PLAIN}'))", persisted=True
        ),
        deferred=True,
    )
    """Name and e-mail address without accents and capitals, by which the desk finds people."""
    phone: Mapped[str] = mapped_column(Text, default="")
    licence_country: Mapped[str] = mapped_column(Text)
    """ISO 3166-1 alpha-2."""
    licence_number: Mapped[str] = mapped_column(EncryptedText())
    licence_expires: Mapped[date] = mapped_column(EncryptedDate())
    """The last day on which the licence is valid."""
    born: Mapped[date] = mapped_column(EncryptedDate())
    locale: Mapped[str | None] = mapped_column(Text)
    """The language that they booked in; letters to them are written in it."""
    billing_name: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Who stands on invoices, where that is not the customer: their firm, say."""
    tax_number: Mapped[str] = mapped_column(Text, default="", server_default="")
    billing_address: Mapped[str] = mapped_column(Text, default="", server_default="")
    """In lines, as it is printed."""
    blocked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Since when no more bookings are taken of them."""
    blocked_why: Mapped[str | None] = mapped_column(EncryptedText())
    student_until: Mapped[date | None]
    """The last day on which they are known as a student."""
    student_asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Since when the desk is to look whether they are a student; None once it did."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("uq_car_hire_customers_user_id", "user_id", unique=True),
        Index("ix_car_hire_customers_email", text("lower(email)")),
        Index("ix_car_hire_customers_name", text("lower(name)")),
        Index(
            "ix_car_hire_customers_student",
            "id",
            postgresql_where=text("student_asked_at IS NOT NULL"),
        ),
        Index(
            "ix_car_hire_customers_sought",
            "sought",
            postgresql_using="gin",
            postgresql_ops={"sought": "gin_trgm_ops"},
        ),
        line(_("Customers with their contact, birthday and driving licence")),
    )


class CustomerNote(Base):
    """What somebody at the desk wrote of a customer for their colleagues."""

    __tablename__ = "car_hire_customer_notes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_customers.id"))
    text: Mapped[str] = mapped_column(EncryptedText())
    author: Mapped[str] = mapped_column(Text)
    """As they were called then."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("ix_car_hire_customer_notes_customer_id", "customer_id", "id"),
        line(_("Notes of the desk on customers")),
    )
