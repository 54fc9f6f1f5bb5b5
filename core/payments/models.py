"""Payments, what was asked of the provider for each, and the tenant's accounts there."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.crypto import EncryptedText
from core.db import Base
from core.ids import new_id
from core.money import Money
from core.payments.states import RESERVED_FOR, State

_AMOUNT: Final = Numeric(20, 6)
_TIME: Final = DateTime(timezone=True)
BY_CARD: Final = "card"
METHODS: Final = (BY_CARD, "cash", "terminal", "transfer")
"""How money comes; all but the first by hand (``services.by_hand``)."""
_METHODS: Final = ", ".join(f"'{method}'" for method in METHODS)
LIVE: Final = text("state NOT IN ('declined', 'voided')")
"""Payments that stand in the way of another of the same thing."""
_STATES: Final = ", ".join(f"'{state}'" for state in State)


class PaymentAccount(Base):
    """The tenant's keys at a provider. One is active; older ones serve what they began."""

    __tablename__ = "payment_accounts"
    __table_args__ = (
        Index(
            "uq_payment_accounts_active",
            "provider",
            unique=True,
            postgresql_where=text("active"),
        ),
        {"info": {"line": "core"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    provider: Mapped[str] = mapped_column(Text)
    account_ref: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    live: Mapped[bool]
    publishable_key: Mapped[str] = mapped_column(Text)
    secret_key: Mapped[str] = mapped_column(EncryptedText, info={"stays": True})
    hook_token: Mapped[str] = mapped_column(Text, unique=True)
    hook_ref: Mapped[str | None] = mapped_column(Text)
    hook_secret: Mapped[str | None] = mapped_column(EncryptedText, info={"stays": True})
    active: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(_TIME, default=now)


class Payment(Base):
    """An amount to be taken for one thing; ``amount`` is what was or is to be authorised."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint(
            f"method IN ({_METHODS}) AND (method = 'card') = (account_id IS NOT NULL)",
            name="method",
        ),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("captured >= 0 AND captured <= amount", name="captured"),
        CheckConstraint("refunded >= 0 AND refunded <= captured", name="refunded"),
        CheckConstraint(
            "(captured > 0) = (state IN ('captured', 'partially_refunded', 'refunded'))",
            name="captured_state",
        ),
        CheckConstraint(
            "(refunded > 0) = (state IN ('partially_refunded', 'refunded'))"
            " AND (refunded = captured AND captured > 0) = (state = 'refunded')",
            name="refunded_state",
        ),
        # The authority against paying twice: one payment of a thing that has not failed.
        Index(
            "uq_payments_live",
            "subject_type",
            "subject_id",
            "purpose",
            unique=True,
            postgresql_where=LIVE,
        ),
        Index("ix_payments_subject", "subject_type", "subject_id"),
        Index("ix_payments_unsettled", "updated_at", postgresql_where=text("unsettled")),
        {"info": {"line": "core"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_accounts.id"))
    """At which provider; None of what was received by hand."""
    method: Mapped[str] = mapped_column(Text, default=BY_CARD, server_default=BY_CARD)
    subject_type: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default=State.CREATED)
    unsettled: Mapped[bool] = mapped_column(default=True)
    """Whether the provider may still move it by itself, or an answer is awaited."""
    amount: Mapped[Decimal] = mapped_column(_AMOUNT)
    captured: Mapped[Decimal] = mapped_column(_AMOUNT, default=Decimal(0))
    refunded: Mapped[Decimal] = mapped_column(_AMOUNT, default=Decimal(0))
    currency: Mapped[str] = mapped_column(Text)
    provider_ref: Mapped[str | None] = mapped_column(Text, unique=True)
    client_secret: Mapped[str | None] = mapped_column(EncryptedText, info={"stays": True})
    redirect_url: Mapped[str | None] = mapped_column(EncryptedText, info={"stays": True})
    card: Mapped[str | None] = mapped_column(Text)
    lapses_at: Mapped[datetime | None] = mapped_column(_TIME)
    """When the bank lets go of what is reserved, as far as the provider said it."""
    customer_ref: Mapped[str | None] = mapped_column(Text)
    method_ref: Mapped[str | None] = mapped_column(Text)
    """Under whom, and as what, the provider keeps the card for later payments."""
    failure_code: Mapped[str | None] = mapped_column(Text)
    release_wanted: Mapped[bool] = mapped_column(default=False)
    """Whoever asked for it no longer wants it: what is found reserved is released."""
    created_at: Mapped[datetime] = mapped_column(_TIME, default=now)
    updated_at: Mapped[datetime] = mapped_column(_TIME, default=now, onupdate=now)

    @property
    def standing(self) -> State:
        """The state, as the table of states knows it."""
        return State(self.state)

    @property
    def reserved_until(self) -> datetime:
        """When the bank lets go of what is reserved, as the provider said, or as is usual."""
        return self.lapses_at or self.created_at + RESERVED_FOR

    @property
    def has_saved_card(self) -> bool:
        """Whether its card can be used again without its holder (``Payments.authorise_again``)."""
        return bool(self.customer_ref and self.method_ref)

    @property
    def authorised_amount(self) -> Money:
        """What is or was reserved."""
        return Money(self.amount, self.currency)

    @property
    def captured_amount(self) -> Money:
        """What was collected."""
        return Money(self.captured, self.currency)

    @property
    def refunded_amount(self) -> Money:
        """What was given back."""
        return Money(self.refunded, self.currency)


class PaymentOperation(Base):
    """One thing asked of the provider, written before it is asked.

    ``key`` is the idempotency key that goes with it, ``request`` what must be the same when it
    is asked again; both are kept for 30 days.
    """

    __tablename__ = "payment_operations"
    __table_args__ = (
        CheckConstraint("kind IN ('authorise', 'capture', 'void', 'refund')", name="kind"),
        CheckConstraint("state IN ('asked', 'unknown', 'done', 'failed')", name="state"),
        Index("ix_payment_operations_payment_id", "payment_id"),
        {"info": {"line": "core"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="asked")
    amount: Mapped[Decimal] = mapped_column(_AMOUNT)
    key: Mapped[str] = mapped_column(Text, unique=True)
    request: Mapped[dict[str, Any]] = mapped_column(JSONB)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(_TIME, default=now)
    ended_at: Mapped[datetime | None] = mapped_column(_TIME)


class PaymentRefund(Base):
    """One refund as the provider knows it, ours or made in its dashboard; counted once."""

    __tablename__ = "payment_refunds"
    __table_args__ = (
        UniqueConstraint("payment_id", "provider_ref"),
        CheckConstraint("amount > 0", name="amount"),
        {"info": {"line": "core"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id", ondelete="CASCADE"))
    provider_ref: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = mapped_column(_AMOUNT)
    created_at: Mapped[datetime] = mapped_column(_TIME, default=now)


class PaymentNotice(Base):
    """A webhook received: its event id makes each count once."""

    __tablename__ = "payment_notices"
    __table_args__ = ({"info": {"line": "core"}},)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("payment_accounts.id"), primary_key=True)
    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    provider_ref: Mapped[str | None] = mapped_column(Text)
    payment_id: Mapped[UUID | None]
    received_at: Mapped[datetime] = mapped_column(_TIME, default=now)
