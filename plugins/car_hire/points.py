"""What other plugins may add to car hire: named hooks on prices, bills and handing over.

A plugin that fills one imports nothing of this: it writes Structs with the fields that it cares
for (``core.extension``). Amounts are net of tax, in the hire's currency; times are aware.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from core.extension import ExtensionPoint


class AddedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that a plugin adds to a quote or a bill; ``rule`` tells its rules apart.

    ``unit_price`` has six decimals at most and may be negative, as long as the sum is not.
    ``texts`` are what people read, by locale: ``core.i18n.in_every_locale`` makes them. They are
    kept with the line, as is ``evidence``: what the rule was given, for whoever asks why.
    """

    rule: str
    texts: dict[str, str]
    unit_price: Decimal
    quantity: Decimal = Decimal(1)
    evidence: dict[str, Any] = {}


class RateAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A hire that somebody wants the price of."""

    class_id: UUID
    class_name: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    days: int
    currency: str
    daily_rate: Decimal


class ReturnAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A car that came back; kilometres, and eighths of a tank.

    ``steps`` holds what was entered at hand-over, by the plugin whose step it was.
    """

    hire_id: UUID
    booking_id: UUID
    class_id: UUID
    class_name: str
    days: int
    currency: str
    zone: str
    due_at: datetime
    returned_at: datetime
    odometer_out: int
    odometer_in: int
    fuel_out: int
    fuel_in: int
    steps: dict[str, dict[str, Any]]


class StepAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A car about to be handed over, and what was entered into the plugin's own fields."""

    booking_id: UUID
    class_id: UUID
    class_name: str
    starts_at: datetime
    ends_at: datetime
    values: dict[str, Any]


RATE_RULE: Final = ExtensionPoint[list[AddedLine]](
    name="car_hire.rate_rule",
    version=1,
    purpose=(
        "Adds lines to a price, wherever one is shown or promised. Asked for each class in a"
        " search, so be quick. No price is given without an answer: a hook that fails ends the"
        " search or quote with an error that names its plugin. What is promised stays as it was,"
        " whatever the plugin does later."
    ),
    asks=RateAsked,
    answers=list[AddedLine],
    seconds=0.5,
)
RETURN_CHARGE: Final = ExtensionPoint[list[AddedLine]](
    name="car_hire.return_charge",
    version=1,
    purpose=(
        "Adds lines to the bill of a return, when it is previewed and when it is made. No bill is"
        " made without an answer."
    ),
    asks=ReturnAsked,
    answers=list[AddedLine],
)
CHECKOUT_STEP: Final = ExtensionPoint[dict[str, str]](
    name="car_hire.checkout_step",
    version=1,
    purpose=(
        "A step of handing over: the fields of the plugin's form are drawn at the desk, and what"
        " is entered is kept with the hire. The hook answers what is wrong, by field, or nothing;"
        " no car is handed over without its answer."
    ),
    asks=StepAsked,
    answers=dict[str, str],
    form=True,
)
POINTS: Final = (RATE_RULE, RETURN_CHARGE, CHECKOUT_STEP)
