"""The least that a day costs in the months to come, by the price engine itself: a "from" that can
be booked. Pure, but for what other plugins add to the one price that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.money import Money
from plugins.car_hire import policy
from plugins.car_hire.models import VehicleClass
from plugins.car_hire.services import adding, pricing
from plugins.car_hire.services.prices.current import Prices

LENGTHS: Final = (1, 7, 28)
"""Days that people hire for, and at which weeks and months begin to be cheaper."""
AHEAD: Final = timedelta(days=365)
SOON: Final = 2
"""Days from today; tomorrow may count as the last minute, and cost more."""
_TEN: Final = time(10)


class FromPrice(NamedTuple):
    """What a day costs, tax included, in the hire that makes it so little."""

    day: Money
    days: int
    starts_at: datetime
    ends_at: datetime


async def least(
    session: AsyncSession, chosen: VehicleClass, prices: Prices, rules: policy.Policy
) -> FromPrice | None:
    """The cheapest day of a class from the main branch; None if no list says what it costs."""
    if chosen.id not in prices.classes:
        return None
    terms, asked = min(_hires(chosen, prices, rules), key=_per_day)
    made = await adding.to_quote(session, chosen, terms, asked)
    days = pricing.days(asked.starts_at, asked.ends_at, terms.grace_minutes)
    day = Money(made.gross.amount / days, made.gross.unit).rounded()
    return FromPrice(day, days, asked.starts_at, asked.ends_at)


def _per_day(hire: tuple[pricing.Terms, pricing.Asked]) -> Decimal:
    terms, asked = hire
    days = pricing.days(asked.starts_at, asked.ends_at, terms.grace_minutes)
    return pricing.quote(terms, asked).gross.amount / days


def _hires(
    chosen: VehicleClass, prices: Prices, rules: policy.Policy
) -> Iterator[tuple[pricing.Terms, pricing.Asked]]:
    """Hires of every usual length, from each day on which prices may become others."""
    zone = prices.tenant.zone
    today = clock.today(zone)
    for day in sorted(set(_days(prices.house.seasons, today))):
        starts_at = clock.from_wall(datetime.combine(day, _TEN), zone)
        terms = prices.terms(chosen.id, starts_at, rules)
        for length in LENGTHS:
            ends = datetime.combine(day + timedelta(days=length), _TEN)
            yield (
                terms,
                pricing.Asked(
                    starts_at=starts_at,
                    ends_at=clock.from_wall(ends, zone),
                    zone=zone,
                    lead_days=(day - today).days,
                ),
            )


def _days(seasons: Iterable[pricing.SeasonDates], today: date) -> Iterator[date]:
    first, last = today + timedelta(days=SOON), today + AHEAD
    changes = [first, first + timedelta(days=30)]
    for each in seasons:
        changes += [each.first, each.last + timedelta(days=1)]
    for day in changes:
        if first <= day <= last:
            # The Monday after it: a hire of a few days has no weekend in it then.
            yield day + timedelta(days=-day.weekday() % 7)


def shown_terms(chosen: VehicleClass, prices: Prices, rules: policy.Policy) -> pricing.Terms | None:
    """The terms of a class as they are today; None if no list says what it costs."""
    if chosen.id not in prices.classes:
        return None
    return prices.terms(chosen.id, clock.now(), rules)


def gross(terms: pricing.Terms, amount: Decimal, kind: str = "hire") -> Money:
    """An amount of the terms with its tax."""
    rate = terms.taxes.of(kind) if kind != "hire" else terms.taxes.hire
    return Money(amount * (1 + rate), terms.currency).rounded()
