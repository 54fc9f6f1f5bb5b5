"""A bill: what is owed at the return beyond the quote, each line from a reading and a rule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

from core.money import Money
from plugins.car_hire.services.pricing import rules
from plugins.car_hire.services.pricing.duration import DAY, HOUR, started
from plugins.car_hire.services.pricing.lines import Line, Priced, line, summed
from plugins.car_hire.services.pricing.terms import Damage, Late, Readings, Terms, Waiver


def bill(terms: Terms, charged_days: int, seen: Readings) -> Priced:
    """What is owed at the return, ``charged_days`` of the quote being paid for.

    Raises:
        ValueError: the odometer ran backwards, or the car is dirty in a way that has no price.
    """
    made = [
        *_late(terms, seen),
        *_fuel(terms, seen),
        *_mileage(terms, charged_days, seen),
        *_fees(terms, seen),
        *_cleaning(terms, seen),
        *(_damage(terms, seen, each) for each in seen.damages),
    ]
    return summed(made, terms.currency)


def _late(terms: Terms, seen: Readings) -> Iterator[Line]:
    elapsed = seen.returned_at.astimezone(UTC) - seen.due_at.astimezone(UTC)
    if elapsed <= timedelta(minutes=terms.grace_minutes):
        return
    hours = started(elapsed, HOUR)
    told: dict[str, Any] = {
        "hours": hours,
        "due_at": seen.due_at.isoformat(),
        "returned_at": seen.returned_at.isoformat(),
        "grace_minutes": terms.grace_minutes,
        "cap": None if terms.late.cap is None else str(terms.late.cap),
    }
    fee = late_fee(terms.late, elapsed)
    if fee < terms.late.per_hour * hours:
        yield _of_hire(terms, rules.LATE_HOURLY, 1, fee, told)
    else:
        yield _of_hire(terms, rules.LATE_HOURLY, hours, terms.late.per_hour, told)


def late_fee(late: Late, elapsed: timedelta) -> Decimal:
    """For each 24 hours: every hour begun, up to the cap."""
    whole, rest = divmod(elapsed, DAY)
    full, part = late.per_hour * 24, late.per_hour * started(rest, HOUR)
    if late.cap is not None:
        full, part = min(full, late.cap), min(part, late.cap)
    return whole * full + part


def _fuel(terms: Terms, seen: Readings) -> Iterator[Line]:
    missing = seen.fuel_out - seen.fuel_in
    if missing <= 0 or terms.fuel.policy == "prepaid":
        return
    told = {"missing": missing, "fuel_out": seen.fuel_out, "fuel_in": seen.fuel_in}
    tax = terms.taxes.of("fuel")
    yield line(rules.FUEL_MISSING, missing, Money(terms.fuel.per_unit, terms.currency), tax, told)
    if terms.fuel.service:
        yield line(rules.FUEL_SERVICE, 1, Money(terms.fuel.service, terms.currency), tax, told)


def _mileage(terms: Terms, charged_days: int, seen: Readings) -> Iterator[Line]:
    driven = seen.odometer_in - seen.odometer_out
    if driven < 0:
        raise ValueError("an odometer does not run backwards")
    if terms.mileage.per_day is None:
        return
    included = terms.mileage.per_day * charged_days
    if driven <= included:
        return
    told = {
        "driven": driven,
        "included": included,
        "odometer_out": seen.odometer_out,
        "odometer_in": seen.odometer_in,
    }
    yield _of_hire(terms, rules.MILEAGE_EXCESS, driven - included, terms.mileage.per_km, told)


def _fees(terms: Terms, seen: Readings) -> Iterator[Line]:
    if seen.out_of_hours and terms.out_of_hours:
        yield _of_hire(terms, rules.OUT_OF_HOURS, 1, terms.out_of_hours, {"when": "return"})
    if seen.one_way is not None:
        yield _of_hire(terms, rules.ONE_WAY, 1, seen.one_way, {})


def _cleaning(terms: Terms, seen: Readings) -> Iterator[Line]:
    if seen.cleaning is None:
        return
    if seen.cleaning not in terms.cleaning:
        raise ValueError(f"there is no price for {seen.cleaning!r}")
    price = terms.cleaning[seen.cleaning]
    yield _of_hire(terms, rules.CLEANING, 1, price, {"level": seen.cleaning})


def _damage(terms: Terms, seen: Readings, damage: Damage) -> Line:
    """At its price, or at the excess of the cover that leaves the customer the least to pay."""
    waivers = [
        each
        for each in terms.waivers
        if each.code in seen.covers and damage.zone not in each.excluded
    ]
    waiver = min(waivers, key=lambda each: each.excess, default=None)
    price = damage.price if waiver is None else min(damage.price, waiver.excess)
    told = {
        "texts": damage.texts,
        "zone": damage.zone,
        "severity": damage.severity,
        "price": str(damage.price),
        **({} if damage.noted is None else {"noted": damage.noted}),
        **_waived(waiver),
    }
    return line(rules.DAMAGE, 1, Money(price, terms.currency), terms.taxes.of("damage"), told)


def _waived(waiver: Waiver | None) -> dict[str, str]:
    return {} if waiver is None else {"cover": waiver.code, "excess": str(waiver.excess)}


def _of_hire(terms: Terms, rule: str, quantity: int, price: Decimal, told: dict[str, Any]) -> Line:
    return line(rule, quantity, Money(price, terms.currency), terms.taxes.hire, told)
