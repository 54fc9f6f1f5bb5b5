"""What operators keep: tokens of their programs, and notes about tenants. Tenant zero's alone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.ids import new_id


class OperatorToken(Base):
    """Lets a program use the control-plane API; kept as its hash. ``write`` includes ``read``."""

    __tablename__ = "operator_tokens"
    __table_args__ = (
        CheckConstraint("access IN ('read', 'write')", name="access"),
        Index("uq_operator_tokens_token_hash", "token_hash", unique=True),
        {"info": {"line": "platform"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(Text)
    access: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class TenantNote(Base):
    """What an operator wrote down about a tenant, for other operators."""

    __tablename__ = "tenant_notes"
    __table_args__ = (
        Index("ix_tenant_notes_tenant_id", "tenant_id"),
        {"info": {"line": "platform"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
