"""The text of a line, in the reader's language, from its rule and what the rule was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from core.i18n import gettext, ngettext
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
    """What a line says to people: ``Hire, 3 days``."""
    return _TEXTS[rule](evidence)
