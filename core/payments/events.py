"""What payments tell whoever listens; amounts are decimal numerals in ``currency``."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from core.events import Event


class PaymentEvent(Event, frozen=True, kw_only=True):
    """What all of them say: which payment, and for what (``subject_type``, ``subject_id``)."""

    name: ClassVar[str] = "payments.changed"

    payment_id: UUID
    subject_type: str
    subject_id: str
    purpose: str
    amount: str
    currency: str


class PaymentAuthorised(PaymentEvent, frozen=True, kw_only=True):
    """The amount is reserved on the card."""

    name: ClassVar[str] = "payments.authorised"


class PaymentCaptured(PaymentEvent, frozen=True, kw_only=True):
    """``amount`` was collected."""

    name: ClassVar[str] = "payments.captured"


class PaymentFailed(PaymentEvent, frozen=True, kw_only=True):
    """Declined or lapsed: nothing was taken, nothing is reserved any more."""

    name: ClassVar[str] = "payments.failed"

    reason: str


class PaymentRefunded(PaymentEvent, frozen=True, kw_only=True):
    """``amount`` in all has been given back."""

    name: ClassVar[str] = "payments.refunded"
