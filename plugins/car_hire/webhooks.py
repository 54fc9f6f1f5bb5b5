"""What programs of the business may hear of car hire."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from core.i18n import _
from core.webhooks import Webhook
from plugins.car_hire.events import (
    BookingCancelled,
    BookingChanged,
    BookingMade,
    BookingNotCollected,
    HireClosed,
    HireReturned,
    HireReviewed,
    HireStarted,
    PaperIssued,
)


def _id(number: int) -> UUID:
    return UUID(f"01977c2e-5d00-7000-8000-{number:012d}")


_BOOKING: Final[dict[str, Any]] = {
    "booking_id": _id(2),
    "number": "K7QM-4XWD",
    "version": 3,
    "state": "confirmed",
    "channel": "site",
    "class_id": _id(3),
    "starts_at": datetime(2026, 12, 18, 9, 0, tzinfo=UTC),
    "ends_at": datetime(2026, 12, 27, 18, 30, tzinfo=UTC),
    "pick_up_branch_id": _id(4),
    "return_branch_id": _id(4),
    "gross": "412.5",
    "currency": "EUR",
}
_HIRE: Final[dict[str, Any]] = {
    "hire_id": _id(5),
    "booking_id": _id(2),
    "booking_number": "K7QM-4XWD",
    "vehicle_id": _id(6),
    "state": "out",
    "started_at": datetime(2026, 12, 18, 9, 12, tzinfo=UTC),
    "returned_at": None,
    "odometer_out": 48210,
    "odometer_in": None,
    "billed": None,
    "currency": "EUR",
}
_BACK: Final = _HIRE | {
    "state": "returned",
    "returned_at": datetime(2026, 12, 27, 18, 5, tzinfo=UTC),
    "odometer_in": 49388,
    "billed": "24.6",
}

WEBHOOKS: Final = (
    Webhook(event=BookingMade, title=_("Booking made"), example=BookingMade(**_BOOKING)),
    Webhook(event=BookingChanged, title=_("Booking changed"), example=BookingChanged(**_BOOKING)),
    Webhook(
        event=BookingCancelled,
        title=_("Booking cancelled"),
        example=BookingCancelled(**_BOOKING | {"state": "cancelled", "fee": "50"}),
    ),
    Webhook(
        event=BookingNotCollected,
        title=_("Car not collected"),
        example=BookingNotCollected(**_BOOKING | {"state": "no_show", "fee": "412.5"}),
    ),
    Webhook(event=HireStarted, title=_("Hire started"), example=HireStarted(**_HIRE)),
    Webhook(event=HireReturned, title=_("Car returned"), example=HireReturned(**_BACK)),
    Webhook(
        event=HireClosed,
        title=_("Hire closed"),
        example=HireClosed(**_BACK | {"state": "closed"}),
    ),
    Webhook(
        event=PaperIssued,
        title=_("Invoice, credit note or receipt issued"),
        example=PaperIssued(
            paper_id=_id(7),
            kind="invoice",
            number="FT 2026/118",
            issued_on=date(2026, 12, 27),
            booking_id=_id(2),
            refers_to=None,
            net="335.37",
            tax="77.13",
            gross="412.5",
            currency="EUR",
        ),
    ),
    Webhook(
        event=HireReviewed,
        title=_("Hire reviewed"),
        example=HireReviewed(hire_id=_id(5), booking_id=_id(2), stars=5),
    ),
)
