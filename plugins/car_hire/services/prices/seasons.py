"""A year of seasons, as a strip of days from the first of this month on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from babel.dates import format_date

from core.i18n import in_reading, locale
from plugins.car_hire.services import pricing


@dataclass(frozen=True, slots=True)
class Stretch:
    """``days`` of a season or month, the first of which is ``at`` days from the strip's begin."""

    name: str
    first: date
    last: date
    at: int
    days: int
    place: int
    """The season's place in the list, for its colour."""


@dataclass(frozen=True, slots=True)
class Year:
    """Twelve months and the seasons in them."""

    days: int
    today: int
    months: list[Stretch]
    seasons: list[Stretch]


def year(house: pricing.HouseRules, today: date) -> Year:
    """The twelve months from the first of this one; a season's edges are cut to them."""
    edges = [_month(today, ahead) for ahead in range(13)]
    begin, end = edges[0], edges[-1] - timedelta(days=1)
    return Year(
        days=(edges[-1] - begin).days,
        today=(today - begin).days,
        months=[
            Stretch(
                format_date(first, "LLL", locale=locale()),
                first,
                after,
                (first - begin).days,
                (after - first).days,
                0,
            )
            for first, after in pairwise(edges)
        ],
        seasons=[
            _stretch(in_reading(each.texts), each, begin, end, place)
            for place, each in enumerate(house.seasons)
            if each.first <= end and each.last >= begin
        ],
    )


def _month(today: date, ahead: int) -> date:
    years, month = divmod(today.month - 1 + ahead, 12)
    return date(today.year + years, month + 1, 1)


def _stretch(name: str, season: pricing.SeasonDates, begin: date, end: date, place: int) -> Stretch:
    first, last = max(season.first, begin), min(season.last, end)
    return Stretch(
        name, season.first, season.last, (first - begin).days, (last - first).days + 1, place
    )
