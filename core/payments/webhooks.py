"""What programs of a business may hear of payments."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from core.i18n import _
from core.payments.events import (
    PaymentAuthorised,
    PaymentCaptured,
    PaymentFailed,
    PaymentRefunded,
)
from core.webhooks import Webhook

_OF: Final[dict[str, Any]] = {
    "payment_id": UUID("01977c2e-5d00-7000-8000-000000000001"),
    "subject_type": "car_hire.booking",
    "subject_id": "01977c2e-5d00-7000-8000-000000000002",
    "purpose": "charge",
    "amount": "120.00",
    "currency": "EUR",
}

PAYMENTS_TOLD: Final = (
    Webhook(
        event=PaymentAuthorised,
        title=_("Payment reserved"),
        example=PaymentAuthorised(**_OF),
    ),
    Webhook(event=PaymentCaptured, title=_("Payment collected"), example=PaymentCaptured(**_OF)),
    Webhook(
        event=PaymentFailed,
        title=_("Payment failed"),
        example=PaymentFailed(**_OF, reason="card_declined"),
    ),
    Webhook(event=PaymentRefunded, title=_("Payment refunded"), example=PaymentRefunded(**_OF)),
)
