"""What car hire tells whoever listens: other products, and programs of the business.

Amounts are decimal numerals in ``currency``, with tax; times are in UTC. Whose a booking is, the
API says to those who may know.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from core.events import Event


class BookingEvent(Event, frozen=True, kw_only=True):
    """How a booking stands after what happened to it; ``version`` grows with each change."""

    name: ClassVar[str] = "car_hire.booking"

    booking_id: UUID
    number: str
    version: int
    state: str
    channel: str
    class_id: UUID
    starts_at: datetime
    ends_at: datetime
    pick_up_branch_id: UUID
    return_branch_id: UUID
    gross: str
    currency: str


class BookingMade(BookingEvent, frozen=True, kw_only=True):
    """A booking is firm: it is paid, or is to be paid at the desk."""

    name: ClassVar[str] = "car_hire.booking_made"


class BookingChanged(BookingEvent, frozen=True, kw_only=True):
    """A firm booking has other dates, another class, branch or extras, or another price."""

    name: ClassVar[str] = "car_hire.booking_changed"


class BookingCancelled(BookingEvent, frozen=True, kw_only=True):
    """A booking was cancelled, by the customer or by the desk; ``fee`` is kept of what was paid."""

    name: ClassVar[str] = "car_hire.booking_cancelled"

    fee: str


class BookingNotCollected(BookingEvent, frozen=True, kw_only=True):
    """Nobody came for the car; ``fee`` is kept of what was paid."""

    name: ClassVar[str] = "car_hire.booking_not_collected"

    fee: str


class HireEvent(Event, frozen=True, kw_only=True):
    """How a hire stands after what happened to it; what is not known yet is null."""

    name: ClassVar[str] = "car_hire.hire"

    hire_id: UUID
    booking_id: UUID
    booking_number: str
    vehicle_id: UUID
    state: str
    started_at: datetime | None
    returned_at: datetime | None
    odometer_out: int
    odometer_in: int | None
    billed: str | None
    currency: str


class HireStarted(HireEvent, frozen=True, kw_only=True):
    """The car has left."""

    name: ClassVar[str] = "car_hire.hire_started"


class HireReturned(HireEvent, frozen=True, kw_only=True):
    """The car is back, and ``billed`` is what came to the price of the booking."""

    name: ClassVar[str] = "car_hire.hire_returned"


class HireClosed(HireEvent, frozen=True, kw_only=True):
    """The money is settled: nothing is left to do."""

    name: ClassVar[str] = "car_hire.hire_closed"


class PaperIssued(Event, frozen=True, kw_only=True):
    """An invoice, credit note or receipt was issued; ``kind`` says which."""

    name: ClassVar[str] = "car_hire.paper_issued"

    paper_id: UUID
    kind: str
    number: str
    issued_on: date
    booking_id: UUID | None
    refers_to: UUID | None
    net: str
    tax: str
    gross: str
    currency: str


class HireReviewed(Event, frozen=True, kw_only=True):
    """A customer said how a hire was, with one to five stars."""

    name: ClassVar[str] = "car_hire.hire_reviewed"

    hire_id: UUID
    booking_id: UUID
    stars: int
