"""What the portal remembers beside the catalogue: sign-ups that are not finished."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base


class SignUpDraft(Base):
    """What somebody has typed into the wizard so far; the browser holds nothing but its token.

    ``data`` is as typed, by step; it is emptied when the draft has become the tenant
    ``tenant_id``, which it can only once. Of a password nothing is kept but its hash.
    """

    __tablename__ = "sign_up_drafts"
    __table_args__ = (
        Index("ix_sign_up_drafts_changed_at", "changed_at"),
        {"info": {"line": "platform"}},
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    password_hash: Mapped[str | None] = mapped_column(Text)
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenants.id"))
    new_account_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
