"""Lines of money, rounded once each for net and tax, so that they add up to their sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from core.money import LARGEST, Money, round_to, total

DECIMALS = 6
"""Of a price; an amount to pay has its currency's own."""


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


def line(
    rule: str,
    quantity: int | Decimal,
    unit_price: Money,
    tax_rate: Decimal,
    evidence: dict[str, Any],
) -> Line:
    """A line of ``quantity`` at ``unit_price``, to which tax is added."""
    price = Money(round_to(unit_price.amount, DECIMALS), unit_price.unit)
    net = (price * quantity).rounded()
    tax = (net * tax_rate).rounded()
    return Line(
        rule=rule,
        evidence=evidence,
        quantity=Decimal(quantity),
        unit_price=price,
        net=net,
        tax_rate=tax_rate,
        tax=tax,
        gross=net + tax,
    )


def summed(lines: Sequence[Line], currency: str) -> Priced:
    """Lines and what they come to."""

    def added(amounts: Iterable[Money]) -> Money:
        return total(amounts, currency)

    return Priced(
        lines=tuple(lines),
        net=added(each.net for each in lines),
        tax=added(each.tax for each in lines),
        gross=added(each.gross for each in lines),
    )


def foreign(
    rule: str,
    quantity: Decimal,
    unit_price: Money,
    tax_rate: Decimal,
    evidence: dict[str, Any],
) -> Line:
    """A line that another plugin makes.

    Raises:
        ValueError: more decimals than are kept, or no amount that could be meant.
    """
    for value, decimals in ((quantity, 2), (unit_price.amount, DECIMALS)):
        if not value.is_finite() or abs(value) >= LARGEST:
            raise ValueError(f"{value} is no amount")
        if value != round_to(value, decimals):
            raise ValueError(f"{value} has more than {decimals} decimals")
    return line(rule, quantity, unit_price, tax_rate, evidence)


def extended(priced: Priced, extra: Sequence[Line]) -> Priced:
    """``priced`` with lines that other plugins add to it.

    Raises:
        ValueError: they take more away than there is, or add more than can be kept.
    """
    made = summed([*priced.lines, *extra], priced.gross.unit)
    if min(made.net.amount, made.tax.amount) < 0 or made.gross.amount > LARGEST:
        raise ValueError(f"the lines sum up to {made.gross.amount} {made.gross.unit}")
    return made
