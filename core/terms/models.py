"""Published versions, and who accepted which."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.ids import new_id


class TermsVersion(Base):
    """One version of the terms of service or the privacy policy, as it was published.

    It is never changed. ``texts`` is Markdown and ``digests`` its SHA-256 in hexadecimal, both
    by language. ``must_accept`` asks those who accepted an earlier version again; they may wait
    until ``accept_by``.
    """

    __tablename__ = "terms_versions"
    __table_args__ = (
        CheckConstraint("kind IN ('terms', 'privacy')", name="kind"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("accept_by >= valid_from", name="accept_by"),
        {"info": {"line": "core"}},
    )

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    texts: Mapped[dict[str, str]] = mapped_column(JSONB)
    digests: Mapped[dict[str, str]] = mapped_column(JSONB)
    valid_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    must_accept: Mapped[bool]
    accept_by: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    published_by: Mapped[str] = mapped_column(Text)
    """As they were called then."""


class TermsAcceptance(Base):
    """That a person accepted a version: in which language they read it, the digest of that very
    text, when, and from which part of the network (``core.origin.neighbourhood``)."""

    __tablename__ = "terms_acceptances"
    __table_args__ = (
        Index("uq_terms_acceptances_user_id_kind_number", "user_id", "kind", "number", unique=True),
        {"info": {"line": "core"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    locale: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    accepted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    address: Mapped[str | None] = mapped_column(Text)
