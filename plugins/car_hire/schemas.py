"""What people and programs send us; forms and the API read the same structs.

Amounts are decimal texts, net of tax, in the tenant's currency.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

# Neither PostgreSQL nor people want control characters in a name.
_CLEAN = r"^[^\x00-\x1f\x7f]*$"
_CLEAN_LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

Words = Annotated[str, Meta(min_length=1, max_length=80, pattern=_CLEAN)]
Short = Annotated[str, Meta(max_length=40, pattern=_CLEAN)]
Prose = Annotated[str, Meta(max_length=1000, pattern=_CLEAN_LINES)]
Kilometres = Annotated[int, Meta(ge=0, le=9_999_999)]
Eighths = Annotated[int, Meta(ge=0, le=8)]
Moment = Annotated[datetime, Meta(tz=True)]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]


class Input(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Something sent to us; a field we do not know is an error, not a silence."""


class ClassInput(Input, kw_only=True):
    """A vehicle class and its rates."""

    name: Words
    description: Prose = ""
    seats: Annotated[int, Meta(ge=1, le=60)]
    gears: Literal["manual", "automatic"]
    daily_rate: Decimal
    tax_percent: Decimal
    deposit: Decimal
    included_km_per_day: Annotated[int, Meta(ge=0, le=10_000)]
    price_per_km: Decimal
    fuel_price_per_eighth: Decimal
    minimum_age: Annotated[int, Meta(ge=16, le=99)]
    on_offer: bool = True


class VehicleInput(Input, kw_only=True):
    """A car. Its class may change while it is not promised to anybody."""

    class_id: UUID
    make: Words
    model: Words
    year: Annotated[int, Meta(ge=1900, le=2200)]
    colour: Annotated[str, Meta(max_length=40, pattern=_CLEAN)] = ""
    plate: Annotated[str, Meta(min_length=2, max_length=20, pattern=_CLEAN)]
    vin: Annotated[str, Meta(max_length=25, pattern=_CLEAN)] = ""
    odometer_km: Kilometres
    fuel_eighths: Eighths
    status: Literal["available", "maintenance", "retired"] = "available"


class LicenceInput(Input, kw_only=True):
    """What a customer who is signed in tells us; name and address we know from their account."""

    phone: Short = ""
    licence_number: Annotated[str, Meta(min_length=3, max_length=40, pattern=_CLEAN)]
    licence_country: Country
    licence_expires: date
    born: date


class CustomerInput(LicenceInput, kw_only=True):
    """A customer, as the desk writes them down."""

    name: Words
    email: Annotated[str, Meta(min_length=3, max_length=254, pattern=_CLEAN)]


class QuoteInput(Input, kw_only=True):
    """For which class and when; times carry their zone."""

    class_id: UUID
    starts_at: Moment
    ends_at: Moment


class BookingInput(Input, kw_only=True):
    """A quote becomes a booking; the desk says for whom."""

    quote_id: UUID
    customer_id: UUID | None = None


class HireInput(Input, kw_only=True):
    """What was read when the keys were handed over."""

    booking_id: UUID
    odometer_km: Kilometres
    fuel_eighths: Eighths
    licence_seen: bool
    """Somebody has held the licence and compared the face."""


class ReturnInput(Input, kw_only=True):
    """What was read when the car came back; ``returned_at`` defaults to now."""

    odometer_km: Kilometres
    fuel_eighths: Eighths
    returned_at: Moment | None = None
