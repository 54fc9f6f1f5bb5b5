"""Where a business wants to be told, what it was told, and what became of each attempt."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.crypto import EncryptedText
from core.db import Base
from core.ids import new_id

_TIME: Final = DateTime(timezone=True)
_LOG: Final = {"info": {"line": "core", "carried": False}}
"""A log of requests of this installation's: it means nothing elsewhere."""


class WebhookEndpoint(Base):
    """An address of a business's own. Secrets stay where they were made: an endpoint that came
    with an archive has none and is sent nothing until it is given one.

    ``failures`` counts attempts that failed in a row, the first at ``failing_since``; until
    ``resting_until`` it is not asked again.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        CheckConstraint("state IN ('on', 'off', 'failed')", name="state"),
        CheckConstraint(
            "(previous_secret IS NULL) = (previous_until IS NULL)", name="previous_secret"
        ),
        {"info": {"line": "core"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    url: Mapped[str] = mapped_column(Text, info={"private": True})
    description: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(Text, default="on")
    secret: Mapped[str | None] = mapped_column(EncryptedText, info={"carried": False})
    previous_secret: Mapped[str | None] = mapped_column(EncryptedText, info={"carried": False})
    previous_until: Mapped[datetime | None] = mapped_column(_TIME, info={"carried": False})
    failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    failing_since: Mapped[datetime | None] = mapped_column(_TIME)
    resting_until: Mapped[datetime | None] = mapped_column(_TIME)
    created_at: Mapped[datetime] = mapped_column(_TIME, default=now)

    @property
    def is_heard(self) -> bool:
        """Whether anything is sent to it."""
        return self.state == "on" and self.secret is not None


class WebhookMessage(Base):
    """What is told: ``body`` is the very text that is signed and sent, whoever it goes to."""

    __tablename__ = "webhook_messages"
    __table_args__ = (Index("ix_webhook_messages_created_at", "created_at"), _LOG)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(_TIME, default=now)


class WebhookDelivery(Base):
    """One message for one endpoint, tried ``most`` times until it says that it has it."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'delivered', 'given_up')", name="state"),
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended_at"),
        Index("ix_webhook_deliveries_endpoint_id", "endpoint_id", "id"),
        Index("ix_webhook_deliveries_message_id", "message_id"),
        _LOG,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_messages.id", ondelete="CASCADE"))
    endpoint_id: Mapped[UUID] = mapped_column(
        ForeignKey("webhook_endpoints.id", ondelete="CASCADE")
    )
    state: Mapped[str] = mapped_column(Text, default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    most: Mapped[int]
    next_at: Mapped[datetime | None] = mapped_column(_TIME)
    created_at: Mapped[datetime] = mapped_column(_TIME, default=now)
    ended_at: Mapped[datetime | None] = mapped_column(_TIME)


class WebhookAttempt(Base):
    """How one request went: a ``status`` and the beginning of the ``answer``, or the ``problem``
    that kept us from having one."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (
        CheckConstraint("(status IS NULL) = (problem IS NOT NULL)", name="outcome"),
        Index("ix_webhook_attempts_delivery_id", "delivery_id"),
        _LOG,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    delivery_id: Mapped[UUID] = mapped_column(
        ForeignKey("webhook_deliveries.id", ondelete="CASCADE")
    )
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(_TIME)
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    problem: Mapped[str | None] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)
