"""What a business chooses from: countries, time zones, currencies, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel.core import Locale, get_global
from babel.dates import get_timezone_location
from babel.numbers import get_territory_currencies

from core import clock
from core.i18n import locale

_TERRITORY_OF_ZONE: Final[Mapping[str, str]] = get_global("zone_territories")
ZONES: Final = frozenset(available_timezones()) - {"localtime", "Factory", "posixrules"}
"""Every IANA name, old ones included: browsers still say Asia/Calcutta."""
_GROUPS: Final = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


_PRIMARY_ZONES: Final[Mapping[str, str]] = {
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "MH": "Pacific/Majuro",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "UA": "Europe/Kyiv",
    "UZ": "Asia/Tashkent",
}
"""Countries with several zones of which one is nearly everybody's: CLDR's ``primaryZones``."""


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a list; ``currency`` is what people pay with there, ``zone`` the clock that
    most of a country lives by, ``country`` where a zone lies, ``note`` a quiet remark."""

    value: str
    name: str
    currency: str = ""
    zone: str = ""
    country: str = ""
    note: str = ""


def _currency_of(territory: str) -> str:
    used = get_territory_currencies(territory)
    return used[0] if used else ""


def _territories() -> list[str]:
    """Codes of countries; Unicode also names continents, groups and the unknown."""
    names = map(str, Locale("en").territories)
    return [code for code in names if len(code) == 2 and code.isalpha() and code not in _GROUPS]


@cache
def currencies() -> frozenset[str]:
    """The ISO 4217 codes that are tender somewhere today."""
    return frozenset(each for code in _territories() for each in get_territory_currencies(code))


@cache
def countries() -> frozenset[str]:
    """ISO 3166 codes of the countries in which people pay with something."""
    return frozenset(code for code in _territories() if get_territory_currencies(code))


def _zone_of(territory: str) -> str:
    """The only zone of a country, or the one that nearly all of it lives by; else nothing."""
    zones = [zone for zone, where in _TERRITORY_OF_ZONE.items() if where == territory]
    return zones[0] if len(zones) == 1 else _PRIMARY_ZONES.get(territory, "")


def country_options() -> tuple[Option, ...]:
    """Countries by name in the reader's language."""
    return _country_options(locale())


@cache
def _country_options(code: str) -> tuple[Option, ...]:
    names = Locale.parse(code).territories
    found = (
        Option(each, names.get(each, each), _currency_of(each), _zone_of(each))
        for each in countries()
    )
    return tuple(sorted(found, key=lambda option: _folded(option.name)))


def currency_options() -> tuple[Option, ...]:
    """Currencies by name in the reader's language."""
    return _currency_options(locale())


@cache
def _currency_options(code: str) -> tuple[Option, ...]:
    names = Locale.parse(code).currencies
    found = (Option(each, f"{names.get(each, each)} ({each})") for each in currencies())
    return tuple(sorted(found, key=lambda option: _folded(option.name)))


def zone_options() -> tuple[Option, ...]:
    """Time zones of today, each with its place in the reader's language and its offset now."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    return _zone_options(locale(), hour)


@cache
def _places(code: str) -> tuple[Option, ...]:
    found = (
        Option(
            zone,
            get_timezone_location(zone, locale=code, return_city=False),
            _currency_of(territory),
            country=territory,
        )
        for zone, territory in _TERRITORY_OF_ZONE.items()
        if zone in ZONES and territory != "001"
    )
    return tuple(sorted(found, key=lambda option: option.value))


def _zone_options(code: str, moment: datetime) -> tuple[Option, ...]:
    return tuple(replace(each, note=offset(each.value, moment)) for each in _places(code))


def offset(zone: str, moment: datetime) -> str:
    """How far ``zone`` is from UTC at ``moment``: ``UTC+01:00``."""
    text = moment.astimezone(ZoneInfo(zone)).strftime("%z")
    return f"UTC{text[:3]}:{text[3:5]}"


def country_name(code: str) -> str:
    """A country in the reader's language."""
    return str(Locale.parse(locale()).territories.get(code, code))


def currency_name(code: str) -> str:
    """A currency in the reader's language, with its code."""
    return f"{Locale.parse(locale()).currencies.get(code, code)} ({code})"


def guess_currency(accept_language: str) -> str:
    """The currency of the first country that a browser's languages name: ``EUR`` of ``pt-PT``."""
    for part in accept_language.split(",")[:10]:
        _, dash, territory = part.partition(";")[0].strip().rpartition("-")
        if dash and territory.upper() in countries():
            return _currency_of(territory.upper())
    return ""


def _folded(name: str) -> str:
    """For sorting: Áustria beside Austrália, not after Zimbabué."""
    return name.casefold().translate(_PLAIN)


_PLAIN: Final = str.maketrans("áàâãäåéèêëíìîïóòôõöúùûüç", "aaaaaaeeeeiiiiooooouuuuc")
