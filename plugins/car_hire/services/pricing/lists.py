"""A price list: the rules of the house and each class's prices, from which terms are made.

Both are kept as JSON with a version of the list. What depends on the day of the pick-up, such as
the rate of a tax, is settled here; what depends on the hire, in ``quoting``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import msgspec

from plugins.car_hire.services.pricing.terms import (
    Adjustment,
    Fuel,
    Late,
    Mileage,
    Rate,
    Season,
    Stored,
    Taxes,
    Terms,
    Texts,
    Waiver,
    YoungDriver,
)

TaxKind = Literal["hire", "extra", "cover", "fuel", "damage"]
EVER: Final = date(1900, 1, 1)


class SeasonDates(Stored, frozen=True, kw_only=True):
    """A named stretch of the calendar, both days included; ``code`` is what prices go by."""

    code: str
    texts: Texts
    first: date
    last: date


class TaxRule(Stored, frozen=True, kw_only=True):
    """The rate of a kind of line for pick-ups from ``valid_from`` on: 0.23 for 23 %."""

    kind: TaxKind
    rate: Decimal
    valid_from: date = EVER


class Limit(Stored, frozen=True, kw_only=True):
    """How long and how far ahead a class may be hired; empty is every class, or every season. What
    is None does not limit: fewest and most days charged, hours before the pick-up by which it is
    booked, days before it from which on it can be."""

    class_id: str = ""
    season: str = ""
    days_from: int | None = None
    days_to: int | None = None
    lead_hours: int | None = None
    lead_days: int | None = None


class HouseRules(Stored, frozen=True, kw_only=True):
    """What holds for every class of a list. Amounts are net of tax, in the tenant's currency."""

    month_days: int = 30
    weekend: tuple[int, ...] = (6, 7)
    seasons: tuple[SeasonDates, ...] = ()
    """Where two overlap, the first counts."""
    adjustments: tuple[Adjustment, ...] = ()
    taxes: tuple[TaxRule, ...] = ()
    young_driver: YoungDriver | None = None
    one_way: Decimal = Decimal(0)
    out_of_hours: Decimal = Decimal(0)
    airport_share: Decimal = Decimal(0)
    late_cap: Decimal | None = None
    """The most that 24 hours of lateness cost."""
    limits: tuple[Limit, ...] = ()
    student_share: Decimal = Decimal(0)
    """Of the time charge, off what students pay."""


class ClassPrices(Stored, frozen=True, kw_only=True):
    """What one class costs; a season that is not named here has the usual rate."""

    rate: Rate
    seasons: dict[str, Rate] = msgspec.field(default_factory=dict)
    deposit: Decimal = Decimal(0)
    mileage: Mileage = Mileage()
    fuel: Fuel = Fuel()


def tax(house: HouseRules, kind: TaxKind, day: date) -> Decimal | None:
    """The rate of ``kind`` on ``day``: that of the newest rule; None where there is none."""
    known = [rule for rule in house.taxes if rule.kind == kind and rule.valid_from <= day]
    return max(known, key=lambda rule: rule.valid_from).rate if known else None


def taxes(house: HouseRules, day: date) -> Taxes:
    """The rates of every kind for a pick-up on ``day``; without a rule, hires are not taxed."""
    return Taxes(
        hire=tax(house, "hire", day) or Decimal(0),
        extra=tax(house, "extra", day),
        cover=tax(house, "cover", day),
        fuel=tax(house, "fuel", day),
        damage=tax(house, "damage", day),
    )


def terms(
    house: HouseRules,
    prices: ClassPrices,
    *,
    currency: str,
    day: date,
    grace_minutes: int,
    late_per_hour: Decimal,
    waivers: tuple[Waiver, ...] = (),
) -> Terms:
    """The terms of a class for a pick-up on ``day``, by the business's calendar."""
    seasons = tuple(
        Season(texts=each.texts, first=each.first, last=each.last, rate=prices.seasons[each.code])
        for each in house.seasons
        if each.code in prices.seasons
    )
    return Terms(
        currency=currency,
        rate=prices.rate,
        taxes=taxes(house, day),
        deposit=prices.deposit,
        grace_minutes=grace_minutes,
        month_days=house.month_days,
        weekend=house.weekend,
        seasons=seasons,
        adjustments=house.adjustments,
        mileage=prices.mileage,
        fuel=prices.fuel,
        late=Late(per_hour=late_per_hour, cap=house.late_cap),
        young_driver=house.young_driver,
        out_of_hours=house.out_of_hours,
        airport_share=house.airport_share,
        waivers=waivers,
    )


class Dearer(NamedTuple):
    """A longer unit of a class that costs more than what it stands for."""

    season: str
    unit: Literal["week", "month"]
    price: Decimal
    days: Decimal
    """What as many single days cost."""


def overlapping(house: HouseRules) -> Iterator[tuple[SeasonDates, SeasonDates]]:
    """Neighbouring seasons that share days; there the one that stands first in the list counts."""
    for one, other in pairwise(sorted(house.seasons, key=lambda each: (each.first, each.last))):
        if other.first <= one.last:
            yield one, other


def dearer(house: HouseRules, prices: ClassPrices) -> Iterator[Dearer]:
    """Weeks dearer than seven days, months dearer than as many: nobody would ever pay them."""
    for code, rate in (("", prices.rate), *prices.seasons.items()):
        for unit, size in (("week", 7), ("month", house.month_days)):
            price: Decimal | None = getattr(rate, unit)
            if price is not None and price > rate.day * size:
                yield Dearer(code, "week" if unit == "week" else "month", price, rate.day * size)
