"""The text of a line, in the reader's language, from its rule and what the rule was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from core.i18n import gettext, in_reading, ngettext
from core.money import Money
from plugins.car_hire.models import MoneyLine
from plugins.car_hire.services import pricing


def _daily(given: Mapping[str, Any]) -> str:
    days = int(given["days"])
    return ngettext("Hire, %(num)d day", "Hire, %(num)d days", days) % {"num": days}


def _late(given: Mapping[str, Any]) -> str:
    hours = int(given["hours"])
    return ngettext("Late return, %(num)d hour", "Late return, %(num)d hours", hours) % {
        "num": hours
    }


def _fuel(given: Mapping[str, Any]) -> str:
    return gettext("Missing fuel: left with %(out)s/8, back with %(back)s/8") % {
        "out": given["fuel_out"],
        "back": given["fuel_in"],
    }


def _mileage(given: Mapping[str, Any]) -> str:
    return gettext("Distance: %(driven)s km driven, %(included)s km included") % {
        "driven": given["driven"],
        "included": given["included"],
    }


_TEXTS: Final = {
    pricing.RATE_DAILY: _daily,
    pricing.LATE_HOURLY: _late,
    pricing.FUEL_MISSING: _fuel,
    pricing.MILEAGE_EXCESS: _mileage,
}


def describe(rule: str, evidence: Mapping[str, Any]) -> str:
    """What a line says to people: ``Hire, 3 days``. A line that another plugin added brought its
    texts with it, so that it reads the same when that plugin is gone."""
    if rule in _TEXTS:
        return _TEXTS[rule](evidence)
    return in_reading(evidence["texts"]) or rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A line as people read it."""

    text: str
    rule: str
    quantity: Decimal
    unit_price: Money
    net: Money
    tax_rate: Decimal
    tax: Money
    gross: Money


def told(line: MoneyLine | pricing.Line, currency: str) -> Told:
    """A line of a quote or bill, stored or just made, for a page or a letter."""

    def money(amount: Decimal | Money) -> Money:
        return amount if isinstance(amount, Money) else Money(amount, currency)

    return Told(
        text=describe(line.rule, line.evidence),
        rule=line.rule,
        quantity=line.quantity,
        unit_price=money(line.unit_price),
        net=money(line.net),
        tax_rate=line.tax_rate,
        tax=money(line.tax),
        gross=money(line.gross),
    )
