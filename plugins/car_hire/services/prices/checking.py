"""What a price list must be: amounts that can be meant, seasons that end, a tax, a price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final
from uuid import UUID

from core.errors import FieldError, Invalid
from core.i18n import LazyText, _, fill, in_reading
from plugins.car_hire.services import checks, pricing

UNITS: Final = ("hour", "day", "weekend", "week", "month")
MOST: Final = 60
"""Seasons, adjustments or taxes in one list."""


def check_rules(rules: pricing.HouseRules) -> None:
    """Refuse rules that nobody can mean.

    Raises:
        Invalid: naming each field at fault, such as ``seasons[1].last``.
    """
    found = (*_seasons(rules), *_adjustments(rules), *_limits(rules), *_taxes(rules))
    checks.refuse([*found, *_fees(rules)])


def _seasons(rules: pricing.HouseRules) -> Iterator[FieldError | None]:
    codes: set[str] = set()
    for place, each in enumerate(rules.seasons):
        at = f"seasons[{place}]"
        if each.last < each.first:
            yield FieldError(f"{at}.last", _("A season ends after it begins"))
        if not any(text.strip() for text in each.texts.values()):
            yield FieldError(f"{at}.name", _("Give the season a name"))
        if each.code in codes:
            yield FieldError(f"{at}.name", _("Another season has this name"))
        codes.add(each.code)
    if len(rules.seasons) > MOST:
        yield FieldError("seasons", _("These are too many"))


def _adjustments(rules: pricing.HouseRules) -> Iterator[FieldError | None]:
    for place, each in enumerate(rules.adjustments):
        at = f"adjustments[{place}]"
        if not -1 <= each.share <= 1:
            yield FieldError(f"{at}.percent", _("Enter a percentage between -100 and 100"))
        for name in ("lead", "days"):
            low, high = getattr(each, f"{name}_from"), getattr(each, f"{name}_to")
            if low is not None and high is not None and high < low:
                yield FieldError(f"{at}.{name}_to", _("The upper bound is below the lower"))


def _limits(rules: pricing.HouseRules) -> Iterator[FieldError | None]:
    codes = {"", *(each.code for each in rules.seasons)}
    for place, each in enumerate(rules.limits):
        if each.season not in codes:
            yield FieldError(f"limits[{place}].season", _("This list has no such season"))
    if len(rules.limits) > MOST:
        yield FieldError("limits", _("These are too many"))


def _taxes(rules: pricing.HouseRules) -> Iterator[FieldError | None]:
    known = set()
    for place, each in enumerate(rules.taxes):
        if not 0 <= each.rate <= 1:
            yield FieldError(f"taxes[{place}].percent", _("A tax is at most 100 %"))
        if (each.kind, each.valid_from) in known:
            yield FieldError(f"taxes[{place}].valid_from", _("There is a rate from this day on"))
        known.add((each.kind, each.valid_from))


def _fees(rules: pricing.HouseRules) -> Iterator[FieldError | None]:
    yield checks.amount("one_way", rules.one_way)
    yield checks.amount("out_of_hours", rules.out_of_hours)
    if rules.late_cap is not None:
        yield checks.amount("late_cap", rules.late_cap)
    if not 0 <= rules.airport_share <= 1:
        yield FieldError("airport_percent", _("Enter a percentage between 0 and 100"))
    if not 0 <= rules.student_share <= 1:
        yield FieldError("student_percent", _("Enter a percentage between 0 and 100"))
    if not 28 <= rules.month_days <= 31:
        yield FieldError("month_days", _("A month has 28 to 31 days"))
    if any(not 1 <= day <= 7 for day in rules.weekend):
        yield FieldError("weekend", _("Days go from 1, Monday, to 7"))
    young = rules.young_driver
    if young is not None:
        yield checks.amount("young_per_day", young.per_day)
        yield None if young.cap is None else checks.amount("young_cap", young.cap)
        if not 17 <= young.under <= 99:
            yield FieldError("young_under", _("Enter an age between 17 and 99"))


def check_prices(house: pricing.HouseRules, prices: pricing.ClassPrices, at: str = "") -> None:
    """Refuse prices that nobody can mean; ``at`` goes before the names of fields.

    Raises:
        Invalid: naming each field at fault, such as ``summer.week``.
    """
    known = {each.code for each in house.seasons}
    errors: list[FieldError | None] = [
        FieldError(f"{at}{code}.day", _("This list has no such season"))
        for code in prices.seasons
        if code not in known
    ]
    for code, rate in (("base", prices.rate), *prices.seasons.items()):
        for unit in UNITS:
            price: Decimal | None = getattr(rate, unit)
            if price is not None:
                errors.append(checks.amount(f"{at}{code}.{unit}", price))
    amounts = {
        "deposit": prices.deposit,
        "per_km": prices.mileage.per_km,
        "fuel_unit": prices.fuel.per_unit,
        "fuel_service": prices.fuel.service,
        "fuel_tank": prices.fuel.tank,
    }
    errors += [checks.amount(at + name, value) for name, value in amounts.items()]
    if prices.mileage.per_day is not None and not 0 <= prices.mileage.per_day <= 10_000:
        errors.append(FieldError(f"{at}km_per_day", _("Enter kilometres between 0 and 10000")))
    checks.refuse(errors)


def check_complete(house: pricing.HouseRules, classes: Mapping[UUID, pricing.ClassPrices]) -> None:
    """Refuse to publish a list by which nothing can be hired.

    Raises:
        Invalid: no class has a price, or hires have no tax.
    """
    if not classes:
        raise Invalid(_("Give at least one class a price before you publish"))
    if not any(rule.kind == "hire" for rule in house.taxes):
        raise Invalid(_("Say how hires are taxed before you publish, even if it is 0 %"))


def warnings(
    house: pricing.HouseRules,
    classes: Mapping[UUID, pricing.ClassPrices],
    names: Mapping[UUID, str],
) -> list[LazyText]:
    """What is allowed and probably not meant."""
    found: list[LazyText] = []
    for one, other in pricing.overlapping(house):
        text = _("The seasons {one} and {other} share days. There the first in the list counts.")
        values = {"one": in_reading(one.texts), "other": in_reading(other.texts)}
        found.append(fill(text, **values))
    seasons = {each.code: in_reading(each.texts) for each in house.seasons}
    for class_id, prices in classes.items():
        for each in pricing.dearer(house, prices):
            text = (
                _("{name}: a week costs more than seven days, so nobody ever pays it. {season}")
                if each.unit == "week"
                else _("{name}: a month costs more than its days, so nobody ever pays it. {season}")
            )
            season = seasons.get(each.season, "")
            found.append(fill(text, name=names.get(class_id, ""), season=season))
    return found
