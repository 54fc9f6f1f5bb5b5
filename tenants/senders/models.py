"""Addresses that businesses send from, and the keys that sign for them. Tenant zero's alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.ids import new_id

_Moment: Final = DateTime(timezone=True)


class MailSender(Base):
    """The address of a tenant's letters, used once ``verified_at``.

    ``token`` is what the TXT record must say that proves the domain. ``records`` is what was seen
    at ``checked_at``; ``checks`` counts the looks since somebody last asked for one, ``failures``
    those in a row that found a verified domain's records wrong. Since ``fallen_back_at`` letters
    leave from our address; since ``unproved_since`` the proof itself is missing.
    """

    __tablename__ = "mail_senders"
    __table_args__ = (
        CheckConstraint("verified_at IS NOT NULL OR fallen_back_at IS NULL", name="fallen_back_at"),
        Index("uq_mail_senders_tenant_id", "tenant_id", unique=True),
        Index(
            "uq_mail_senders_verified",
            "domain",
            unique=True,
            postgresql_where=text("verified_at IS NOT NULL"),
        ),
        Index("ix_mail_senders_next_check_at", "next_check_at"),
        {"info": {"line": "platform"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(Text)
    domain: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    reply_to: Mapped[str | None] = mapped_column(Text)
    token: Mapped[str] = mapped_column(Text)
    verified_at: Mapped[datetime | None] = mapped_column(_Moment)
    records: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    checks: Mapped[int] = mapped_column(Integer, default=0)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    checked_at: Mapped[datetime | None] = mapped_column(_Moment)
    next_check_at: Mapped[datetime | None] = mapped_column(_Moment)
    warned_at: Mapped[datetime | None] = mapped_column(_Moment)
    fallen_back_at: Mapped[datetime | None] = mapped_column(_Moment)
    unproved_since: Mapped[datetime | None] = mapped_column(_Moment)
    created_at: Mapped[datetime] = mapped_column(_Moment, default=now)


class SenderKey(Base):
    """A DKIM key pair of a sender: ``current`` signs, ``next`` waits for its record, and the
    record of a ``former`` one stays until ``retires_at``, for letters that are on their way.

    ``public`` is base64 of the DER, as the record has it. ``private`` is a PEM, sealed under the
    master key; a former key has none.
    """

    __tablename__ = "mail_sender_keys"
    __table_args__ = (
        CheckConstraint("state IN ('current', 'next', 'former')", name="state"),
        CheckConstraint("(state = 'former') = (private IS NULL)", name="private"),
        CheckConstraint("(state = 'former') = (retires_at IS NOT NULL)", name="retires_at"),
        Index("uq_mail_sender_keys_selector", "sender_id", "selector", unique=True),
        Index(
            "uq_mail_sender_keys_state",
            "sender_id",
            "state",
            unique=True,
            postgresql_where=text("state <> 'former'"),
        ),
        {"info": {"line": "platform"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    sender_id: Mapped[UUID] = mapped_column(ForeignKey("mail_senders.id", ondelete="CASCADE"))
    selector: Mapped[str] = mapped_column(Text)
    public: Mapped[str] = mapped_column(Text)
    private: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text, default="current")
    retires_at: Mapped[datetime | None] = mapped_column(_Moment)
    created_at: Mapped[datetime] = mapped_column(_Moment, default=now)
