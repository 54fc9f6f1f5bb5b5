"""The text of a line, in the reader's language, from its rule and what the rule was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from babel.numbers import format_percent

from core.i18n import gettext, in_reading, locale, ngettext
from core.money import Money
from plugins.car_hire.models import MoneyLine
from plugins.car_hire.services import pricing
from plugins.car_hire.services.pricing import rules


def _units(given: Mapping[str, Any], hire: str) -> str:
    if "season" not in given:
        return hire
    return gettext("%(hire)s, %(season)s") % {"hire": hire, "season": in_reading(given["season"])}


def _months(given: Mapping[str, Any]) -> str:
    if given["unit"] == "day":
        return _days_of(given, gettext("monthly rate"))
    count = int(given["count"])
    text = ngettext("Hire, %(num)d month", "Hire, %(num)d months", count) % {"num": count}
    return _units(given, text)


def _weeks(given: Mapping[str, Any]) -> str:
    if given["unit"] == "day":
        return _days_of(given, gettext("weekly rate"))
    count = int(given["count"])
    text = ngettext("Hire, %(num)d week", "Hire, %(num)d weeks", count) % {"num": count}
    return _units(given, text)


def _days_of(given: Mapping[str, Any], rate: str) -> str:
    count = int(given["count"])
    text = ngettext(
        "Hire, %(num)d day at the %(rate)s", "Hire, %(num)d days at the %(rate)s", count
    )
    return _units(given, text % {"num": count, "rate": rate})


def _weekend(given: Mapping[str, Any]) -> str:
    count = int(given["count"])
    text = ngettext("Hire, %(num)d weekend day", "Hire, %(num)d weekend days", count)
    return _units(given, text % {"num": count})


def _daily(given: Mapping[str, Any]) -> str:
    count = int(given["count"])
    text = ngettext("Hire, %(num)d day", "Hire, %(num)d days", count) % {"num": count}
    return _units(given, text)


def _hourly(given: Mapping[str, Any]) -> str:
    count = int(given["count"])
    text = ngettext("Hire, %(num)d hour", "Hire, %(num)d hours", count) % {"num": count}
    return _units(given, text)


def _share(given: Mapping[str, Any]) -> str:
    share = Decimal(given["share"])
    if not share:
        return in_reading(given["texts"])
    percent = format_percent(abs(share), locale=locale())
    return f"{in_reading(given['texts'])} ({percent})"


def _named(given: Mapping[str, Any]) -> str:
    return in_reading(given["texts"])


def _young_driver(given: Mapping[str, Any]) -> str:
    return gettext("Driver under %(under)s") % {"under": given["under"]}


def _one_way(given: Mapping[str, Any]) -> str:
    return gettext("Return to another branch")


def _out_of_hours(given: Mapping[str, Any]) -> str:
    if given["when"] == "return":
        return gettext("Return out of hours")
    return gettext("Pick-up out of hours")


def _airport(given: Mapping[str, Any]) -> str:
    return gettext("Airport surcharge (%(percent)s)") % {
        "percent": format_percent(Decimal(given["share"]), locale=locale())
    }


def _tank(given: Mapping[str, Any]) -> str:
    return gettext("Full tank, prepaid: bring it back empty")


def _fuel_service(given: Mapping[str, Any]) -> str:
    return gettext("Refuelling")


def _cleaning(given: Mapping[str, Any]) -> str:
    return gettext("Cleaning")


def _damage(given: Mapping[str, Any]) -> str:
    if "cover" in given:
        return gettext("Damage: %(what)s, your share with the cover you bought") % {
            "what": in_reading(given["texts"])
        }
    return gettext("Damage: %(what)s") % {"what": in_reading(given["texts"])}


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


def _changed(given: Mapping[str, Any]) -> str:
    return gettext("Difference for the changes after the payment")


TEXTS: Final = {
    rules.RATE_MONTHLY: _months,
    rules.RATE_WEEKLY: _weeks,
    rules.RATE_WEEKEND: _weekend,
    rules.RATE_DAILY: _daily,
    rules.RATE_HOURLY: _hourly,
    rules.ADJUSTMENT: _share,
    rules.DISCOUNT: _share,
    rules.YOUNG_DRIVER: _young_driver,
    rules.ONE_WAY: _one_way,
    rules.OUT_OF_HOURS: _out_of_hours,
    rules.AIRPORT: _airport,
    rules.EXTRA: _named,
    rules.FUEL_PREPAID: _tank,
    rules.LATE_HOURLY: _late,
    rules.FUEL_MISSING: _fuel,
    rules.FUEL_SERVICE: _fuel_service,
    rules.MILEAGE_EXCESS: _mileage,
    rules.CLEANING: _cleaning,
    rules.DAMAGE: _damage,
    rules.BY_HAND: _named,
    rules.CHANGED: _changed,
}


def describe(rule: str, evidence: Mapping[str, Any]) -> str:
    """What a line says to people: ``Hire, 3 days``. A line that another plugin added brought its
    texts with it, so that it reads the same when that plugin is gone."""
    if rule in TEXTS:
        return TEXTS[rule](evidence)
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
    uncovered: Money | None = None
    """What damage would cost without the cover that was bought."""
    noted: str | None = None
    """The id of the mark that damage is charged by."""
    id: UUID | None = None
    """Of a line that is stored."""


def told(line: MoneyLine | pricing.Line, currency: str) -> Told:
    """A line of a quote or bill, stored or just made, for a page or a letter."""

    def money(amount: Decimal | Money) -> Money:
        return amount if isinstance(amount, Money) else Money(amount, currency)

    given = line.evidence if line.rule in {rules.DAMAGE, rules.BY_HAND} else {}
    return Told(
        text=describe(line.rule, line.evidence),
        rule=line.rule,
        quantity=line.quantity,
        unit_price=money(line.unit_price),
        net=money(line.net),
        tax_rate=line.tax_rate,
        tax=money(line.tax),
        gross=money(line.gross),
        uncovered=money(Decimal(given["price"])) if "cover" in given else None,
        noted=given.get("noted"),
        id=line.id if isinstance(line, MoneyLine) else None,
    )
