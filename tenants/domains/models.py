"""Host names that businesses claim. A table of tenant zero alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.ids import new_id

_Moment: Final = DateTime(timezone=True)


class TenantHost(Base):
    """A tenant's claim to a host name, beside its subdomain; it is served there once verified.

    Several may claim one name, and one of them at most is verified. ``token`` is what its TXT
    record must say. ``records`` is what was seen at ``checked_at``; ``checks`` counts the looks
    since somebody last asked for one. A verified name whose records are wrong since
    ``wrong_since`` is given up in time, after its owners were told at ``warned_at``.
    """

    __tablename__ = "tenant_hosts"
    __table_args__ = (
        CheckConstraint("verified_at IS NOT NULL OR NOT is_primary", name="is_primary"),
        Index("uq_tenant_hosts_tenant_id_host", "tenant_id", "host", unique=True),
        Index(
            "uq_tenant_hosts_verified",
            "host",
            unique=True,
            postgresql_where=text("verified_at IS NOT NULL"),
        ),
        Index(
            "uq_tenant_hosts_primary",
            "tenant_id",
            unique=True,
            postgresql_where=text("is_primary"),
        ),
        Index("ix_tenant_hosts_next_check_at", "next_check_at"),
        {"info": {"line": "platform"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    host: Mapped[str] = mapped_column(Text)
    token: Mapped[str] = mapped_column(Text)
    verified_at: Mapped[datetime | None] = mapped_column(_Moment)
    is_primary: Mapped[bool] = mapped_column(default=False)
    records: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    checks: Mapped[int] = mapped_column(Integer, default=0)
    checked_at: Mapped[datetime | None] = mapped_column(_Moment)
    next_check_at: Mapped[datetime | None] = mapped_column(_Moment)
    wrong_since: Mapped[datetime | None] = mapped_column(_Moment)
    warned_at: Mapped[datetime | None] = mapped_column(_Moment)
    created_at: Mapped[datetime] = mapped_column(_Moment, default=now)
