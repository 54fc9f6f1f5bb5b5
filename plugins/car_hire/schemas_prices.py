"""What is typed or sent about prices. Amounts are net of tax, in the tenant's currency."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from msgspec import field

from core.errors import FieldError
from core.i18n import LazyText, _
from core.web.forms.fields import Form, choice, day, moment, number, text, whole

TAX_KINDS: Final[dict[str, LazyText]] = {
    "hire": _("Hires and fees"),
    "extra": _("Extras and drivers"),
    "cover": _("Covers"),
    "fuel": _("Fuel"),
    "damage": _("Damage"),
}
FUEL_POLICIES: Final[dict[str, LazyText]] = {
    "same": _("Back as it left"),
    "prepaid": _("Full tank prepaid"),
}
DAYS: Final[dict[str, LazyText]] = {
    "1": _("Monday"),
    "2": _("Tuesday"),
    "3": _("Wednesday"),
    "4": _("Thursday"),
    "5": _("Friday"),
    "6": _("Saturday"),
    "7": _("Sunday"),
}
Price = Annotated[Decimal, number(_("Price"), min=0, max="9999999999", decimals=4)]


class Named(Form, kw_only=True):
    """Something with a name that customers read."""

    name_en: Annotated[str, text(_("Name in English"), min=0, max=80)] = ""
    name_pt: Annotated[str, text(_("Name in Portuguese"), min=0, max=80)] = ""

    def check(self) -> Iterable[FieldError]:
        """It has a name."""
        if not self.name_en and not self.name_pt:
            yield FieldError("name_en", _("Give it a name"))

    @property
    def texts(self) -> dict[str, str]:
        """By locale; where one is missing, the other is read."""
        given = {"en": self.name_en, "pt": self.name_pt}
        return {code: name for code, name in given.items() if name}


class SeasonInput(Named, kw_only=True):
    """A season; ``code`` is what prices go by, and made from the name when it is new."""

    code: Annotated[str, text(_("Code"), min=0, max=40, pattern=r"^[a-z0-9-]*$")] = ""
    first: Annotated[date, day(_("First day"))]
    last: Annotated[date, day(_("Last day"))]


class AdjustmentInput(Named, kw_only=True):
    """A share of the time charge; days of lead are counted to the pick-up."""

    percent: Annotated[
        Decimal,
        number(_("Percent"), min=-100, max=100, decimals=2, unit="%"),
    ]
    lead_from: Annotated[int, whole(_("Days ahead, from"), max=730)] | None = None
    lead_to: Annotated[int, whole(_("Days ahead, to"), max=730)] | None = None
    days_from: Annotated[int, whole(_("Days of hire, from"), max=365)] | None = None
    days_to: Annotated[int, whole(_("Days of hire, to"), max=365)] | None = None


class TaxInput(Form, kw_only=True):
    """The tax of a kind of line for pick-ups from a day on; without a day, ever since."""

    kind: Annotated[
        Literal["hire", "extra", "cover", "fuel", "damage"], choice(_("Lines"), TAX_KINDS)
    ]
    percent: Annotated[Decimal, number(_("Tax"), min=0, max=100, decimals=2, unit="%")]
    valid_from: Annotated[date, day(_("For pick-ups from"))] | None = None


class LimitInput(Form, kw_only=True):
    """How long and how far ahead a class may be hired in a season; without one, whenever."""

    class_id: Annotated[UUID, choice(_("Class"))] | None = None
    season: Annotated[str, text(_("Season"), min=0, max=40, input="select")] = ""
    days_from: Annotated[int, whole(_("Days at least"), min=1, max=90)] | None = None
    days_to: Annotated[int, whole(_("Days at most"), min=1, max=90)] | None = None
    lead_hours: Annotated[int, whole(_("Hours ahead, at least"), max=2160)] | None = None
    lead_days: Annotated[int, whole(_("Days ahead, at most"), min=1, max=730)] | None = None

    def check(self) -> Iterable[FieldError]:
        """It limits something, and something can still be hired."""
        given = (self.days_from, self.days_to, self.lead_hours, self.lead_days)
        if all(each is None for each in given):
            yield FieldError("days_from", _("Say what is limited, or empty the row"))
        if self.days_from and self.days_to and self.days_to < self.days_from:
            yield FieldError("days_to", _("The upper bound is below the lower"))
        if self.lead_hours and self.lead_days and self.lead_hours >= self.lead_days * 24:
            yield FieldError("lead_days", _("Then nobody could book. Choose more days"))


class FeesInput(Form, kw_only=True):
    """What holds for every class."""

    weekend: list[Annotated[str, choice(_("Weekend days"), DAYS)]] = field(
        default_factory=lambda: ["6", "7"]
    )
    month_days: Annotated[int, whole(_("Days of a month"), min=28, max=31)] = 30
    one_way: Annotated[Decimal, number(_("Return to another branch"), min=0, decimals=4)] = Decimal(
        0
    )
    out_of_hours: Annotated[Decimal, number(_("Out of hours"), min=0, decimals=4)] = Decimal(0)
    airport_percent: Annotated[
        Decimal, number(_("Airport surcharge"), min=0, max=100, decimals=2, unit="%")
    ] = Decimal(0)
    student_percent: Annotated[
        Decimal,
        number(
            _("Students pay less"),
            min=0,
            max=100,
            decimals=2,
            unit="%",
            hint=_("Of the time charge, for who is known as a student. 0: no discount."),
        ),
    ] = Decimal(0)
    late_cap: Annotated[Decimal, number(_("Late fee, at most a day"), min=0, decimals=4)] | None = (
        None
    )
    young_under: Annotated[int, whole(_("Young drivers are under"), min=17, max=99)] | None = None
    young_per_day: Annotated[Decimal, number(_("Young driver a day"), min=0, decimals=4)] = Decimal(
        0
    )
    young_cap: Annotated[Decimal, number(_("Young driver, at most"), min=0, decimals=4)] | None = (
        None
    )


class RulesInput(FeesInput, kw_only=True):
    """All of a list but the prices of classes; rows are as ``SeasonInput`` and the like."""

    seasons: list[dict[str, Any]] = field(default_factory=list)
    adjustments: list[dict[str, Any]] = field(default_factory=list)
    limits: list[dict[str, Any]] = field(default_factory=list)
    taxes: list[dict[str, Any]] = field(default_factory=list)


class RateInput(Form, kw_only=True):
    """What time costs in a season or outside; what is empty is not offered."""

    hour: Annotated[Price, number(_("Hour"), min=0, decimals=4)] | None = None
    day: Annotated[Price, number(_("Day"), min=0, decimals=4)] | None = None
    weekend: Annotated[Price, number(_("Weekend day"), min=0, decimals=4)] | None = None
    week: Annotated[Price, number(_("Week"), min=0, decimals=4)] | None = None
    month: Annotated[Price, number(_("Month"), min=0, decimals=4)] | None = None

    def check(self) -> Iterable[FieldError]:
        """The other units are compared with a day, so a day has a price."""
        if self.day is None and self.is_given:
            yield FieldError("day", _("Say what a day costs, too"))

    @property
    def is_given(self) -> bool:
        """Whether any price is."""
        units = (self.hour, self.day, self.weekend, self.week, self.month)
        return any(each is not None for each in units)


class ConditionsInput(Form, kw_only=True):
    """Deposit, distance and fuel of a class; units of fuel are eighths, or percent of a battery."""

    deposit: Annotated[Decimal, number(_("Deposit"), min=0, decimals=2)] = Decimal(0)
    km_per_day: Annotated[int, whole(_("km a day"), max=10_000)] | None = None
    per_km: Annotated[Decimal, number(_("Each km more"), min=0, decimals=4)] = Decimal(0)
    fuel_policy: Annotated[Literal["same", "prepaid"], choice(_("Fuel"), FUEL_POLICIES)] = "same"
    fuel_unit: Annotated[Decimal, number(_("Missing unit"), min=0, decimals=4)] = Decimal(0)
    fuel_service: Annotated[Decimal, number(_("Refuelling"), min=0, decimals=4)] = Decimal(0)
    fuel_tank: Annotated[Decimal, number(_("Full tank"), min=0, decimals=4)] = Decimal(0)


class ClassPricesInput(ConditionsInput, kw_only=True):
    """What a class costs: a rate is as ``RateInput``; those of seasons go by the season's code."""

    rate: dict[str, Any]
    seasons: dict[str, dict[str, Any]] = field(default_factory=dict)


class PublicationInput(Form, kw_only=True):
    """From when a list counts."""

    effective_from: (
        Annotated[datetime, moment(_("Counts from"), hint=_("Empty means now"))] | None
    ) = None


class TrialInput(Form, kw_only=True):
    """A hire whose price by a list somebody wants to see."""

    class_id: Annotated[UUID, choice(_("Class"))]
    starts_at: Annotated[datetime, moment(_("Pick-up"))]
    ends_at: Annotated[datetime, moment(_("Return"))]
