"""A quote: what was asked for, priced by the terms of a class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from core import clock
from core.money import Money, total
from plugins.car_hire.services.pricing import rules, time_charge
from plugins.car_hire.services.pricing.duration import days
from plugins.car_hire.services.pricing.lines import Line, Priced, line, summed
from plugins.car_hire.services.pricing.terms import Adjustment, Asked, Chosen, Discount, Terms


def quote(terms: Terms, asked: Asked) -> Priced:
    """What ``asked`` costs: time, what is added to it or taken off it, fees, extras and fuel.

    Shares are of the time charge alone; discounts, of the time charge with its adjustments.
    """
    charged = days(asked.starts_at, asked.ends_at, terms.grace_minutes)
    time = time_charge.lines(terms, asked)
    base = _net(time, terms)
    time += _adjustments(terms, asked, charged, base)
    time += _discounts(terms, asked, charged, _net(time, terms))
    fees = _fees(terms, asked, charged, base)
    extras = (_extra(terms, each, charged) for each in asked.chosen)
    return summed([*time, *fees, *extras, *_prepaid(terms)], terms.currency)


def _net(lines: Iterable[Line], terms: Terms) -> Money:
    return total((each.net for each in lines), terms.currency)


def _adjustments(terms: Terms, asked: Asked, charged: int, base: Money) -> Iterator[Line]:
    for each in terms.adjustments:
        if not _applies(each, asked.lead_days, charged):
            continue
        told = {
            "texts": each.texts,
            "share": str(each.share),
            "of": str(base.amount),
            "lead_days": asked.lead_days,
            "days": charged,
        }
        yield line(rules.ADJUSTMENT, 1, base * each.share, terms.taxes.hire, told)


def _applies(rule: Adjustment, lead: int, charged: int) -> bool:
    return all(
        (low is None or low <= value) and (high is None or value <= high)
        for value, low, high in (
            (lead, rule.lead_from, rule.lead_to),
            (charged, rule.days_from, rule.days_to),
        )
    )


def _discounts(terms: Terms, asked: Asked, charged: int, base: Money) -> list[Line]:
    """The best of: all that combine, or any one that does not. Nothing goes below zero."""
    fitting = [each for each in asked.discounts if fits(each, asked, charged)]
    together = [each for each in fitting if each.combines]
    alone = [[each] for each in fitting if not each.combines]
    ways = [_taken(terms, way, base) for way in (together, *alone) if way]
    return min(ways, key=lambda way: _net(way, terms).amount, default=[])


def fits(discount: Discount, asked: Asked, charged: int) -> bool:
    """Whether a discount goes with the hire that is asked for, of ``charged`` days."""
    first, last = (clock.local(at, asked.zone).date() for at in (asked.starts_at, asked.ends_at))
    return (
        charged >= (discount.days_from or 0)
        and (discount.hired_from is None or discount.hired_from <= first)
        and (discount.hired_to is None or last <= discount.hired_to)
        and (not discount.class_ids or asked.class_id in (None, *discount.class_ids))
    )


def _taken(terms: Terms, discounts: Sequence[Discount], base: Money) -> list[Line]:
    left, taken = base, []
    for each in discounts:
        off = min((left * each.share).rounded() + Money(each.amount, terms.currency), left)
        if off.amount <= 0:
            continue
        told = {
            "texts": each.texts,
            "code": each.code,
            "share": str(each.share),
            "of": str(left.amount),
        }
        taken.append(line(rules.DISCOUNT, 1, -off, terms.taxes.hire, told))
        left += taken[-1].net
    return taken


def _fees(terms: Terms, asked: Asked, charged: int, base: Money) -> Iterator[Line]:
    unit, tax = terms.currency, terms.taxes.hire
    young = terms.young_driver
    for age in asked.ages:
        if young is not None and age < young.under:
            told = {"age": age, "under": young.under, "days": charged}
            price = Money(_capped(young.per_day * charged, young.cap), unit)
            yield line(rules.YOUNG_DRIVER, 1, price, tax, told)
    if asked.one_way is not None:
        yield line(rules.ONE_WAY, 1, Money(asked.one_way, unit), tax, {})
    if terms.out_of_hours:
        for when in asked.out_of_hours:
            yield line(rules.OUT_OF_HOURS, 1, Money(terms.out_of_hours, unit), tax, {"when": when})
    if asked.at_airport and terms.airport_share:
        share: dict[str, Any] = {"share": str(terms.airport_share), "of": str(base.amount)}
        yield line(rules.AIRPORT, 1, base * terms.airport_share, tax, share)


def _extra(terms: Terms, chosen: Chosen, charged: int) -> Line:
    extra = chosen.extra
    times = charged if extra.per == "day" else 1
    told = {
        "texts": extra.texts,
        "code": extra.code,
        "kind": extra.kind,
        "per": extra.per,
        "days": charged,
        "cap": None if extra.cap is None else str(extra.cap),
    }
    price = Money(_capped(extra.price * times, extra.cap), terms.currency)
    kind = "cover" if extra.kind == "cover" else "extra"
    return line(rules.EXTRA, chosen.quantity, price, terms.taxes.of(kind), told)


def _capped(amount: Decimal, cap: Decimal | None) -> Decimal:
    return amount if cap is None else min(amount, cap)


def _prepaid(terms: Terms) -> Iterator[Line]:
    if terms.fuel.policy == "prepaid":
        price = Money(terms.fuel.tank, terms.currency)
        yield line(rules.FUEL_PREPAID, 1, price, terms.taxes.of("fuel"), {})
