"""What time costs: the cheapest way to cover a hire with months, weeks, days and hours.

Every stretch of a hire belongs to a unit that is paid for. Where a unit starts, how long it is and
what the rest costs is a shortest path over the days of the hire, so no combination is missed: five
days may cost a week, and a short hire in the evening hours may cost a day.

A day belongs to the calendar day on which it starts, counted from the pick-up on the business's
clock (pick-up + n days, whatever clocks do meanwhile), and is charged at the rates of the season
of that day. A week or month that lies in several seasons is charged for each of its days at its
share of that season's week or month; where a season has none, the unit cannot be used there.
Days of a unit beyond the return count in the season in which they lie.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from core import clock
from core.money import Money
from plugins.car_hire.services.pricing import rules
from plugins.car_hire.services.pricing.duration import Length, length
from plugins.car_hire.services.pricing.lines import Line, line
from plugins.car_hire.services.pricing.terms import Asked, Rate, Terms

Unit = Literal["month", "week", "weekend", "day", "hour"]

WEEK_DAYS: Final = 7

_RULES: Final[dict[Unit, str]] = {
    "month": rules.RATE_MONTHLY,
    "week": rules.RATE_WEEKLY,
    "weekend": rules.RATE_WEEKEND,
    "day": rules.RATE_DAILY,
    "hour": rules.RATE_HOURLY,
}


class Part(NamedTuple):
    """``days`` of a unit in one season, or that many hours; ``price`` is for one of them."""

    unit: Unit
    whole: bool
    """Whether the unit lies in one season: then it is counted in units, otherwise in days."""
    season: int | None
    """Its place among the terms' seasons."""
    quantity: int
    price: Decimal

    @property
    def cost(self) -> Decimal:
        return self.quantity * self.price


Way = tuple[Part, ...]


def lines(terms: Terms, asked: Asked) -> list[Line]:
    """The time charge, a line for each unit and season, in the order in which they come."""
    wanted = length(asked.starts_at, asked.ends_at, terms.grace_minutes)
    evidence = {
        "starts_at": asked.starts_at.isoformat(),
        "ends_at": asked.ends_at.isoformat(),
        "grace_minutes": terms.grace_minutes,
        "days": wanted.days,
        "hours": wanted.hours,
    }
    first = clock.local(asked.starts_at, asked.zone).date()
    merged: dict[tuple[Unit, bool, int | None, Decimal], Part] = {}
    for part in cheapest(terms, first, wanted):
        key = (part.unit, part.whole, part.season, part.price)
        known = merged.get(key)
        quantity = part.quantity + (known.quantity if known else 0)
        merged[key] = part._replace(quantity=quantity)
    return [_line(terms, part, evidence) for part in merged.values()]


def cheapest(terms: Terms, first: date, wanted: Length) -> Way:
    """The units that cover ``wanted`` from the day ``first`` for the least money; of equally cheap
    ways the one with fewer units, and of those the one that begins with the longest."""
    end = wanted.days + (wanted.hours > 0)
    best: dict[int, tuple[Decimal, int, Way]] = {end: (Decimal(0), 0, ())}
    for at in range(end - 1, -1, -1):
        ways = []
        for parts, covered in _units(terms, first, at, wanted):
            cost, count, rest = best[min(at + covered, end)]
            ways.append((sum((part.cost for part in parts), cost), count + 1, parts + rest))
        best[at] = min(ways, key=lambda way: way[:2])
    return best[0][2]


def _units(terms: Terms, first: date, at: int, wanted: Length) -> Iterator[tuple[Way, int]]:
    """Each unit that may start on day ``at``, with the days that it covers."""
    sizes: tuple[tuple[Unit, int], ...] = (("month", terms.month_days), ("week", WEEK_DAYS))
    for unit, size in sizes:
        parts = _long(terms, unit, [first + timedelta(days=at + n) for n in range(size)])
        if parts:
            yield parts, size
    today = first + timedelta(days=at)
    season = _season(terms, today)
    rate = _rate(terms, season)
    if rate.weekend is not None and today.isoweekday() in terms.weekend:
        yield (Part("weekend", True, season, 1, rate.weekend),), 1
    else:
        yield (Part("day", True, season, 1, rate.day),), 1
    if at == wanted.days and rate.hour is not None:
        yield (Part("hour", True, season, wanted.hours, rate.hour),), 1


def _long(terms: Terms, unit: Unit, days: Sequence[date]) -> Way:
    """A week or month over ``days``; nothing where one of its seasons has no such price."""
    lying = Counter(_season(terms, day) for day in days)
    parts = []
    for season, count in lying.items():
        price: Decimal | None = getattr(_rate(terms, season), unit)
        if price is None:
            return ()
        if len(lying) == 1:
            return (Part(unit, True, season, 1, price),)
        parts.append(Part(unit, False, season, count, price / len(days)))
    return tuple(parts)


def _season(terms: Terms, day: date) -> int | None:
    for place, season in enumerate(terms.seasons):
        if season.first <= day <= season.last:
            return place
    return None


def _rate(terms: Terms, season: int | None) -> Rate:
    return terms.rate if season is None else terms.seasons[season].rate


def _line(terms: Terms, part: Part, evidence: dict[str, object]) -> Line:
    told = evidence | {"unit": part.unit if part.whole else "day", "count": part.quantity}
    if part.season is not None:
        told["season"] = terms.seasons[part.season].texts
    price = Money(part.price, terms.currency)
    return line(_RULES[part.unit], part.quantity, price, terms.taxes.hire, told)
