"""What a hire costs: pure functions from stored facts to lines of money.

Nothing here reads a clock, a database or a setting. A quote or a bill made again from the
facts stored with it comes out identical, line for line; the tests do that.

A *day* is a period of 24 hours of real (elapsed) time, as the customer has the car for them.
On the night when clocks are set back, "ten o'clock until ten o'clock" is 25 hours, and when
they are set forward, 23. The grace that every tenant sets (60 minutes unless changed) is what
keeps the longer one a single day; with less grace than an hour, that night costs two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from core.money import LARGEST, Money, round_to, total

DAY: Final = timedelta(hours=24)
HOUR: Final = timedelta(hours=1)

RATE_DAILY: Final = "rate.daily"
LATE_HOURLY: Final = "late.hourly"
FUEL_MISSING: Final = "fuel.missing"
MILEAGE_EXCESS: Final = "mileage.excess"


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rates of a class and the rules of the house, as they were when a quote was made.

    Amounts are in ``currency``, net of tax; ``tax_rate`` is 0.23 for 23 %.
    """

    currency: str
    daily_rate: Decimal
    tax_rate: Decimal
    deposit: Decimal
    included_km_per_day: int
    price_per_km: Decimal
    fuel_price_per_eighth: Decimal
    late_fee_per_hour: Decimal
    grace_minutes: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line: the rule that made it, what the rule was given, and the money."""

    rule: str
    evidence: dict[str, Any]
    quantity: Decimal
    unit_price: Money
    net: Money
    tax_rate: Decimal
    tax: Money
    gross: Money


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of a quote or bill and their sums."""

    lines: tuple[Line, ...]
    net: Money
    tax: Money
    gross: Money


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen when the car left and when it came back."""

    due_at: datetime
    returned_at: datetime
    odometer_out: int
    odometer_in: int
    fuel_out: int
    fuel_in: int


def started(elapsed: timedelta, unit: timedelta, grace: timedelta) -> int:
    """How many ``unit`` have been started in ``elapsed``, the first ``grace`` of each free."""
    chargeable = elapsed - grace
    if chargeable <= timedelta(0):
        return 0
    return -(-chargeable // unit)


def days(starts_at: datetime, ends_at: datetime, grace_minutes: int) -> int:
    """The days charged between two aware moments: at least one.

    Raises:
        ValueError: if the end is not after the start.
    """
    if ends_at <= starts_at:
        raise ValueError("a hire ends after it starts")
    return max(1, started(ends_at - starts_at, DAY, timedelta(minutes=grace_minutes)))


def quote(terms: Terms, starts_at: datetime, ends_at: datetime) -> Priced:
    """What a hire from ``starts_at`` to ``ends_at`` (aware) costs under ``terms``."""
    charged = days(starts_at, ends_at, terms.grace_minutes)
    evidence = {
        "days": charged,
        "starts_at": starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
        "grace_minutes": terms.grace_minutes,
    }
    return _sum([_line(terms, RATE_DAILY, charged, terms.daily_rate, evidence)], terms.currency)


def bill(terms: Terms, charged_days: int, seen: Readings) -> Priced:
    """What is owed at the return beyond the quote: a late fee, missing fuel, excess distance."""
    made = (
        _late(terms, seen),
        _fuel(terms, seen),
        _mileage(terms, charged_days, seen),
    )
    return _sum([line for line in made if line is not None], terms.currency)


def added(
    terms: Terms, rule: str, quantity: Decimal, unit_price: Decimal, evidence: dict[str, Any]
) -> Line:
    """A line by a rule of another plugin's, taxed and rounded as our own.

    Raises:
        ValueError: more decimals than are kept, or no amount that could be meant.
    """
    for value, decimals in ((quantity, 2), (unit_price, 6)):
        if not value.is_finite() or abs(value) >= LARGEST:
            raise ValueError(f"{value} is no amount")
        if value != round_to(value, decimals):
            raise ValueError(f"{value} has more than {decimals} decimals")
    return _line(terms, rule, quantity, unit_price, evidence)


def extended(priced: Priced, extra: Sequence[Line]) -> Priced:
    """``priced`` with lines that other plugins add to it.

    Raises:
        ValueError: they take more away than there is, or add more than can be kept.
    """
    made = _sum([*priced.lines, *extra], priced.gross.unit)
    if min(made.net.amount, made.tax.amount) < 0 or made.gross.amount > LARGEST:
        raise ValueError(f"the lines sum up to {made.gross.amount} {made.gross.unit}")
    return made


def _late(terms: Terms, seen: Readings) -> Line | None:
    elapsed = seen.returned_at - seen.due_at
    if elapsed <= timedelta(minutes=terms.grace_minutes):
        return None
    hours = started(elapsed, HOUR, timedelta(0))
    evidence = {
        "hours": hours,
        "due_at": seen.due_at.isoformat(),
        "returned_at": seen.returned_at.isoformat(),
        "grace_minutes": terms.grace_minutes,
    }
    return _line(terms, LATE_HOURLY, hours, terms.late_fee_per_hour, evidence)


def _fuel(terms: Terms, seen: Readings) -> Line | None:
    missing = seen.fuel_out - seen.fuel_in
    if missing <= 0:
        return None
    evidence = {"missing": missing, "fuel_out": seen.fuel_out, "fuel_in": seen.fuel_in}
    return _line(terms, FUEL_MISSING, missing, terms.fuel_price_per_eighth, evidence)


def _mileage(terms: Terms, charged_days: int, seen: Readings) -> Line | None:
    driven = seen.odometer_in - seen.odometer_out
    if driven < 0:
        raise ValueError("an odometer does not run backwards")
    included = terms.included_km_per_day * charged_days
    if driven <= included:
        return None
    evidence = {
        "driven": driven,
        "included": included,
        "odometer_out": seen.odometer_out,
        "odometer_in": seen.odometer_in,
    }
    return _line(terms, MILEAGE_EXCESS, driven - included, terms.price_per_km, evidence)


def _line(
    terms: Terms,
    rule: str,
    quantity: int | Decimal,
    unit_price: Decimal,
    evidence: dict[str, Any],
) -> Line:
    """Round once for the net and once for the tax of each line, so that lines add up to sums."""
    price = Money(unit_price, terms.currency)
    net = (price * quantity).rounded()
    tax = (net * terms.tax_rate).rounded()
    return Line(
        rule=rule,
        evidence=evidence,
        quantity=Decimal(quantity),
        unit_price=price,
        net=net,
        tax_rate=terms.tax_rate,
        tax=tax,
        gross=net + tax,
    )


def _sum(lines: Sequence[Line], currency: str) -> Priced:
    def added(amounts: Iterable[Money]) -> Money:
        return total(amounts, currency)

    return Priced(
        lines=tuple(lines),
        net=added(line.net for line in lines),
        tax=added(line.tax for line in lines),
        gross=added(line.gross for line in lines),
    )
