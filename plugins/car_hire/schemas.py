"""What people and programs send us; forms and the API read the same structs.

Amounts are net of tax, in the tenant's currency.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from babel.core import Locale
from msgspec import field

from core.i18n import _
from core.terms.fields import Accepted
from core.web.forms.fields import (
    Form,
    amount,
    choice,
    day,
    email,
    long_text,
    moment,
    text,
    tick,
    whole,
)
from plugins.car_hire.models import BLOCK_REASONS, FUELS, GEARS, VEHICLE_STATUSES
from plugins.car_hire.models.zones import CLEANING, KINDS, SEVERITIES, ZONES
from plugins.car_hire.schemas_promotions import PriceChoices

STARS: Final = {
    "5": _("★★★★★ excellent"),
    "4": _("★★★★ good"),
    "3": _("★★★ as expected"),
    "2": _("★★ not so good"),
    "1": _("★ bad"),
}
EIGHTHS: Final = {str(n): f"{n}/8" for n in range(9)}
COUNTRIES: Final = {
    code: name
    for code, name in sorted(Locale("en").territories.items(), key=lambda each: str(each[1]))
    if len(str(code)) == 2 and str(code).isalpha() and code not in {"EU", "EZ", "UN", "ZZ", "XA"}
}


class ClassInput(Form, kw_only=True):
    """A vehicle class; what it costs, a price list says."""

    name: Annotated[str, text(_("Name"), max=80)]
    description: Annotated[str, long_text(_("Description"), min=0, max=1000)] = ""
    seats: Annotated[int, whole(_("Seats"), min=1, max=60)]
    gears: Annotated[Literal["manual", "automatic"], choice(_("Gears"), GEARS)]
    minimum_age: Annotated[int, whole(_("Minimum age of the driver"), min=16, max=99)]
    bags: Annotated[int, whole(_("Suitcases"), max=60)] | None = None
    fuel: (
        Annotated[
            Literal["petrol", "diesel", "hybrid", "electric"],
            choice(_("Runs on"), FUELS, hint=_("Empty where the cars of the class differ.")),
        ]
        | None
    ) = None
    on_offer: Annotated[bool, tick(_("Customers may book it"))] = True


class VehicleInput(Form, kw_only=True):
    """A car."""

    class_id: Annotated[UUID, choice(_("Class"))]
    make: Annotated[str, text(_("Make"), max=80, placeholder="Renault")]
    model: Annotated[str, text(_("Model"), max=80, placeholder="Clio")]
    year: Annotated[int, whole(_("Year"), min=1900, max=2200)]
    colour: Annotated[str, text(_("Colour"), min=0, max=40)] = ""
    plate: Annotated[str, text(_("Plate"), min=2, max=20)]
    vin: Annotated[
        str,
        text(_("VIN"), min=0, max=25, hint=_("17 letters and digits, on the windscreen or door")),
    ] = ""
    odometer_km: Annotated[int, whole(_("Odometer"), max=9_999_999, unit="km")]
    fuel_eighths: Annotated[
        int, whole(_("Fuel"), max=8, unit="/ 8", hint=_("Eighths of a tank, as the gauge shows"))
    ]
    status: Annotated[
        Literal["available", "maintenance", "retired"], choice(_("Status"), VEHICLE_STATUSES)
    ] = "available"
    home_branch_id: Annotated[UUID, choice(_("Home branch"))] | None = None


BillingName = Annotated[
    str,
    text(_("Name on invoices"), min=0, max=120, hint=_("Empty means the customer's own name")),
]
TaxNumber = Annotated[
    str, text(_("Tax number"), min=0, max=30, pattern=r"^[A-Za-z0-9 ./-]*$", autocomplete="off")
]
BillingAddress = Annotated[
    str, long_text(_("Address"), min=0, max=400, hint=_("In lines, as on an envelope"))
]


class BillingInput(Form, kw_only=True):
    """Who stands on invoices."""

    billing_name: BillingName = ""
    tax_number: TaxNumber = ""
    billing_address: BillingAddress = ""


class LicenceInput(Form, kw_only=True):
    """What a customer who is signed in tells us; name and address we know from their account."""

    phone: Annotated[str, text(_("Phone"), min=0, max=40, input="tel", autocomplete="tel")] = ""
    licence_number: Annotated[
        str, text(_("Driving licence number"), min=3, max=40, autocomplete="off")
    ]
    licence_country: Annotated[
        str, choice(_("Issued in"), COUNTRIES), text(_("Issued in"), min=2, max=2, input="select")
    ]
    licence_expires: Annotated[date, day(_("Valid until"))]
    born: Annotated[date, day(_("Date of birth"), autocomplete="bday")]
    billing_name: BillingName = ""
    tax_number: TaxNumber = ""
    billing_address: BillingAddress = ""


class CheckoutInput(LicenceInput, kw_only=True):
    """The licence, and that the business's terms are accepted where that is due."""

    terms: Accepted | None = None


class CustomerInput(LicenceInput, kw_only=True):
    """A customer, as the desk writes them down."""

    name: Annotated[str, text(_("Name"), max=80, autocomplete="name")]
    email: Annotated[str, email(_("E-mail address"))]


class SearchInput(Form, kw_only=True):
    """When a car is wanted; times without a zone are on the business's clock."""

    starts_at: Annotated[datetime, moment(_("Pick-up"))]
    ends_at: Annotated[datetime, moment(_("Return"))]
    class_id: Annotated[UUID, choice(_("Class"))] | None = None
    pick_up_branch_id: Annotated[UUID, choice(_("Pick-up at"))] | None = None
    return_branch_id: Annotated[UUID, choice(_("Return to"))] | None = None


class QuoteInput(PriceChoices, kw_only=True):
    """For which class, when, what is taken with it, by which code, and where: at the main branch,
    and back to where it began, unless others are named. The desk may go ``beyond`` the limits of
    length and lead time, saying why; of others that is not read."""

    class_id: Annotated[UUID, choice(_("Class"))]
    starts_at: Annotated[datetime, moment(_("Pick-up"))]
    ends_at: Annotated[datetime, moment(_("Return"))]
    pick_up_branch_id: Annotated[UUID, choice(_("Pick-up at"))] | None = None
    return_branch_id: Annotated[UUID, choice(_("Return to"))] | None = None
    beyond: Annotated[
        str,
        text(
            _("Why beyond the limits?"),
            min=0,
            max=200,
            hint=_("Kept in the audit log with your name."),
        ),
    ] = ""


class WalkInInput(QuoteInput, kw_only=True):
    """A booking made at the desk, for a customer who is written down."""

    customer_id: Annotated[UUID, choice(_("Customer"))]

    def quote(self) -> QuoteInput:
        """What a price is asked for."""
        return QuoteInput(**{name: getattr(self, name) for name in QuoteInput.__struct_fields__})


class BookingInput(Form, kw_only=True):
    """A quote becomes a booking; the desk says for whom."""

    quote_id: UUID
    customer_id: Annotated[UUID, choice(_("Customer"))] | None = None
    terms: Accepted | None = None


class CardInput(Form, kw_only=True):
    """What the card element made of the card; never a card number."""

    payment_method: Annotated[
        str, text(_("Card"), max=255, pattern=r"^[A-Za-z0-9_]+$", hint=_("Enter the card again"))
    ]


class DatesInput(Form, kw_only=True):
    """Other dates for a booking; ``version`` is the one that the editor saw."""

    starts_at: Annotated[datetime, moment(_("Pick-up"))]
    ends_at: Annotated[datetime, moment(_("Return"))]
    version: int | None = None


class UntilInput(PriceChoices, kw_only=True):
    """From now until when somebody at the counter wants a car, what they take with it and by which
    code."""

    ends_at: Annotated[datetime, moment(_("Return"))]
    pick_up_branch_id: Annotated[UUID, choice(_("Pick-up at"))] | None = None
    return_branch_id: Annotated[UUID, choice(_("Return to"))] | None = None


class CarInput(Form, kw_only=True):
    """Another car for a booking."""

    vehicle_id: Annotated[UUID, choice(_("Car"))]


class SwapInput(Form, kw_only=True):
    """The booking to exchange cars with."""

    number: Annotated[str, text(_("Number of the other booking"), min=4, max=12)]


class BlockInput(Form, kw_only=True):
    """A time in which a car is not for hire."""

    reason: Annotated[Literal["maintenance", "other"], choice(_("Reason"), BLOCK_REASONS)] = (
        "maintenance"
    )
    starts_at: Annotated[datetime, moment(_("From"))]
    ends_at: Annotated[datetime, moment(_("To"))]
    notes: Annotated[str, long_text(_("Notes"), min=0, max=1000)] = ""
    move: Annotated[bool, tick(_("Move bookings in the way to other cars of the class"))] = False


class HireInput(Form, kw_only=True):
    """What was read when the keys were handed over."""

    booking_id: UUID
    odometer_km: Annotated[int, whole(_("Odometer"), max=9_999_999, unit="km")]
    fuel_eighths: Annotated[int, whole(_("Fuel"), max=8, unit="/ 8")]
    licence_seen: Annotated[
        bool, tick(_("I have seen the driving licence, and it is the customer's"))
    ] = False
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the steps of other plugins ask for, by plugin and field."""


class ReturnInput(Form, kw_only=True):
    """What was read when the car came back."""

    odometer_km: Annotated[int, whole(_("Odometer"), max=9_999_999, unit="km")]
    fuel_eighths: Annotated[int, whole(_("Fuel"), max=8, unit="/ 8")]
    cleaning: Annotated[Literal["light", "heavy"], choice(_("Cleanliness"), CLEANING)] | None = None
    returned_at: (
        Annotated[datetime, moment(_("Came back at"), hint=_("Empty means now"))] | None
    ) = None
    return_branch_id: Annotated[UUID, choice(_("Came back to"))] | None = None
    keep_deposit: Annotated[
        bool,
        tick(
            _("Keep the deposit for now"),
            hint=_("Damage is still being looked into: nothing is taken until you say so."),
        ),
    ] = False


class ReviewInput(Form, kw_only=True):
    """How a hire was, in the words of whoever hired."""

    stars: Annotated[Literal["1", "2", "3", "4", "5"], choice(_("How was it?"), STARS)]
    remarks: Annotated[
        str,
        long_text(
            _("What should we know?"),
            min=0,
            max=2000,
            hint=_("Only the owner reads this; it is not shown on the site."),
        ),
    ] = ""


class InspectionInput(Form, kw_only=True):
    """What was typed so far while a car is looked at; nothing need be complete."""

    odometer_km: Annotated[int, whole(_("Odometer"), max=9_999_999, unit="km")] | None = None
    fuel_eighths: Annotated[int, whole(_("Fuel"), max=8, unit="/ 8")] | None = None
    licence_seen: Annotated[
        bool, tick(_("I have seen the driving licence, and it is the customer's"))
    ] = False
    cleaning: Annotated[Literal["light", "heavy"], choice(_("Cleanliness"), CLEANING)] | None = None
    notes: Annotated[
        str,
        long_text(
            _("Notes on the papers"),
            min=0,
            max=1000,
            hint=_("What you saw of passport or identity card. Only the desk reads it."),
        ),
    ] = ""
    customer_name: Annotated[
        str, text(_("Name of the customer"), min=0, max=80, autocomplete="off")
    ] = ""
    staff_name: Annotated[str, text(_("Your name"), min=0, max=80, autocomplete="off")] = ""


class DraftInput(InspectionInput, kw_only=True):
    """The same as the page sends it; a draft keeps neither the booking nor when the car came."""

    booking_id: UUID | None = None
    returned_at: Annotated[datetime, moment(_("Came back at"))] | None = None


_ZONES: Final = {name: zone.title for name, zone in ZONES.items()}


class DamageInput(Form, kw_only=True):
    """Damage, as it is marked on the drawing; ``x`` and ``y`` are in the drawing's units.

    ``price`` is net of tax, for what the table of prices does not know.
    """

    zone: Annotated[
        Literal[tuple(ZONES)],  # type: ignore[valid-type]  # the drawing's, said once
        choice(_("Where"), _ZONES),
    ]
    kind: Annotated[
        Literal["scratch", "dent", "crack", "missing", "stain"],
        choice(_("What"), KINDS, look="radio"),
    ]
    severity: Annotated[
        Literal["light", "medium", "severe"], choice(_("How bad"), SEVERITIES, look="radio")
    ] = "light"
    x: Annotated[int, whole(_("From the left"), max=300)] | None = None
    y: Annotated[int, whole(_("From the top"), max=500)] | None = None
    note: Annotated[str, text(_("Note"), min=0, max=200, autocomplete="off")] = ""
    charged: Annotated[bool, tick(_("The customer pays for it"))] = True
    price: (
        Annotated[
            Decimal,
            amount(_("Price"), hint=_("Before tax. Empty: what your table of prices says.")),
        ]
        | None
    ) = None


class NoteInput(Form, kw_only=True):
    """Something that colleagues should know of a customer."""

    text: Annotated[str, long_text(_("Note"), min=1, max=2000)]


class BlockCustomerInput(Form, kw_only=True):
    """Why no more bookings are taken of a customer."""

    reason: Annotated[str, text(_("Reason"), min=2, max=300)]
