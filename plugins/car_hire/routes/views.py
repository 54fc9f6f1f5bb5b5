"""What the API answers with."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

import msgspec

from core.db import Base
from plugins.car_hire.models import BillLine, Hire, Quote, QuoteLine, VehicleClass
from plugins.car_hire.services import pricing
from plugins.car_hire.services.describe import told
from plugins.car_hire.services.prices.current import Shown
from plugins.car_hire.services.quotes import Offer


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Something the API shows."""


def _columns(view: type[View], row: Base, but: str) -> dict[str, Any]:
    return {field: getattr(row, field) for field in view.__struct_fields__ if field != but}


class RowView(View, frozen=True, kw_only=True):
    """A row, shown by the columns that have the names of the fields."""

    @classmethod
    def of(cls, row: Base) -> Self:
        """As it is kept."""
        return cls(**{field: getattr(row, field) for field in cls.__struct_fields__})


class CostView(View, frozen=True, kw_only=True):
    """What cancelling would cost: of what was paid, ``fee`` is kept and ``back`` given back; where
    it is ``on_account``, a company owes the fee."""

    currency: str
    fee: Decimal
    back: Decimal
    free_until: datetime | None
    on_account: bool


class ClassView(View, frozen=True, kw_only=True):
    """A vehicle class, and what it costs today outside seasons: net of tax, None without a price.

    ``included_km_per_day`` None is as far as one likes.
    """

    id: UUID
    version: int
    name: str
    description: str
    seats: int
    gears: str
    bags: int | None
    fuel: str | None
    currency: str
    minimum_age: int
    on_offer: bool
    daily_rate: Decimal | None = None
    tax_percent: Decimal | None = None
    deposit: Decimal | None = None
    included_km_per_day: int | None = None
    price_per_km: Decimal | None = None

    @classmethod
    def of(cls, row: VehicleClass, shown: Shown | None) -> Self:
        """As it is kept, with its price by the list that counts."""
        kept = {name: getattr(row, name) for name in cls.__struct_fields__ if hasattr(row, name)}
        if shown is None:
            return cls(**kept)
        return cls(
            daily_rate=shown.day.amount,
            tax_percent=shown.tax_rate * 100,
            deposit=shown.deposit.amount,
            included_km_per_day=shown.mileage.per_day,
            price_per_km=shown.mileage.per_km,
            **kept,
        )


class VehicleView(RowView, frozen=True, kw_only=True):
    """A car."""

    id: UUID
    version: int
    class_id: UUID
    make: str
    model: str
    year: int
    colour: str
    plate: str
    vin: str | None
    odometer_km: int
    fuel_eighths: int
    status: str
    home_branch_id: UUID
    branch_id: UUID


class BranchView(View, frozen=True, kw_only=True):
    """A branch; hours by the wall clock, such as ``09:00-13:00``, empty on a closed day."""

    id: UUID
    version: int
    name: str
    code: str
    street_address: str
    desk_phone: str
    desk_email: str
    latitude: Decimal | None
    longitude: Decimal | None
    is_airport: bool
    serves_out_of_hours: bool
    is_main: bool
    in_use: bool
    monday: str
    tuesday: str
    wednesday: str
    thursday: str
    friday: str
    saturday: str
    sunday: str


class CustomerView(RowView, frozen=True, kw_only=True):
    """A customer, to those who may see them."""

    id: UUID
    version: int
    name: str
    email: str
    phone: str
    licence_number: str
    licence_country: str
    licence_expires: date
    born: date
    student_until: date | None


class LineView(View, frozen=True, kw_only=True):
    """A line of a quote or bill: its rule, what the rule was given, and the money."""

    rule: str
    description: str
    evidence: dict[str, Any]
    quantity: Decimal
    unit_price: Decimal
    net: Decimal
    tax_percent: Decimal
    tax: Decimal
    gross: Decimal

    @classmethod
    def of(cls, row: QuoteLine | BillLine | pricing.Line, currency: str) -> Self:
        """As it is kept, or as it was just worked out."""
        line = told(row, currency)
        return cls(
            rule=row.rule,
            description=line.text,
            evidence=row.evidence,
            quantity=line.quantity,
            unit_price=line.unit_price.amount,
            net=line.net.amount,
            tax_percent=line.tax_rate * 100,
            tax=line.tax.amount,
            gross=line.gross.amount,
        )


class NearestView(View, frozen=True, kw_only=True):
    """Dates for which a class can be hired."""

    starts_at: datetime
    ends_at: datetime


class OfferView(View, frozen=True, kw_only=True):
    """A class and its price for the time asked for; ``objections`` say why it is not hired so, and
    ``nearest`` dates that do."""

    class_id: UUID
    name: str
    free: int
    days: int
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    deposit: Decimal
    objections: list[str]
    nearest: NearestView | None

    @classmethod
    def of(cls, offer: Offer, objections: list[str]) -> Self:
        """As it was found."""
        near = pricing.nearest(offer.broken)
        return cls(
            class_id=offer.vehicle_class.id,
            name=offer.vehicle_class.name,
            free=offer.free,
            days=offer.days,
            currency=offer.vehicle_class.currency,
            net=offer.priced.net.amount,
            tax=offer.priced.tax.amount,
            gross=offer.priced.gross.amount,
            deposit=offer.terms.deposit,
            objections=objections,
            nearest=None if near is None else NearestView(starts_at=near[0], ends_at=near[1]),
        )


class QuoteView(View, frozen=True, kw_only=True):
    """A price, promised until ``expires_at``."""

    id: UUID
    class_id: UUID
    starts_at: datetime
    ends_at: datetime
    pick_up_branch_id: UUID
    return_branch_id: UUID
    days: int
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    deposit: Decimal
    expires_at: datetime
    lines: list[LineView]

    @classmethod
    def of(cls, row: Quote, lines: list[QuoteLine]) -> Self:
        """As it is kept."""
        told = [LineView.of(line, row.currency) for line in lines]
        return cls(lines=told, **_columns(cls, row, but="lines"))


class BookingView(RowView, frozen=True, kw_only=True):
    """A booking."""

    id: UUID
    version: int
    number: str
    state: str
    quote_id: UUID
    customer_id: UUID
    class_id: UUID
    vehicle_id: UUID
    starts_at: datetime
    ends_at: datetime
    pick_up_branch_id: UUID
    return_branch_id: UUID
    currency: str
    gross: Decimal
    hold_until: datetime
    payment_id: UUID | None
    owed_at_pick_up: bool


class BillLineView(LineView, frozen=True, kw_only=True):
    """A line of a bill that is kept; ``file_id`` is what the desk added to show why, if anything,
    at ``/api/v1/files/{file_id}``."""

    id: UUID
    file_id: UUID | None

    @classmethod
    def kept(cls, row: BillLine, currency: str) -> Self:
        """As it is kept."""
        line = LineView.of(row, currency)
        columns = {name: getattr(line, name) for name in LineView.__struct_fields__}
        return cls(id=row.id, file_id=row.file_id, **columns)


class HireView(View, frozen=True, kw_only=True):
    """A hire, with the bill once the car is back."""

    id: UUID
    version: int
    state: str
    booking_id: UUID
    vehicle_id: UUID
    odometer_out: int
    fuel_out: int
    currency: str
    deposit: Decimal
    deposit_payment_id: UUID | None
    started_at: datetime | None
    returned_at: datetime | None
    odometer_in: int | None
    fuel_in: int | None
    billed: Decimal | None
    return_branch_id: UUID | None
    lines: list[BillLineView]

    @classmethod
    def of(cls, row: Hire, lines: list[BillLine]) -> Self:
        """As it is kept."""
        told = [BillLineView.kept(line, row.currency) for line in lines]
        return cls(lines=told, **_columns(cls, row, but="lines"))


class BillView(View, frozen=True, kw_only=True):
    """A bill as it would be."""

    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    lines: list[LineView]

    @classmethod
    def of(cls, priced: pricing.Priced) -> Self:
        """As it was worked out."""
        unit = priced.gross.unit
        return cls(
            currency=unit,
            net=priced.net.amount,
            tax=priced.tax.amount,
            gross=priced.gross.amount,
            lines=[LineView.of(line, unit) for line in priced.lines],
        )


class PaymentView(View, frozen=True, kw_only=True):
    """Where a card payment stands; ``client_secret`` is for the card element's next step."""

    id: UUID
    state: str
    amount: Decimal
    currency: str
    client_secret: str | None
    redirect_url: str | None
