"""Quotes worked out by hand, in ``golden/quotes.txt``: every line, and what the lines come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from core.clock import from_wall
from plugins.car_hire.services.pricing import (
    Adjustment,
    Asked,
    Chosen,
    Discount,
    Extra,
    Fuel,
    Line,
    Rate,
    Season,
    Taxes,
    Terms,
    YoungDriver,
    quote,
    rules,
)

D = Decimal
LISBON: Final = "Europe/Lisbon"
TABLE: Final = Path(__file__).parent / "golden" / "quotes.txt"


def texts(english: str) -> dict[str, str]:
    return {"en": english}


def season(name: str, first: date, last: date, **rate: Any) -> Season:
    return Season(texts=texts(name), first=first, last=last, rate=Rate(**rate))


def price_list(rate: Rate, **other: Any) -> Terms:
    given = {"currency": "EUR", "taxes": Taxes(hire=D("0.23")), "grace_minutes": 60, **other}
    return Terms(rate=rate, deposit=D(300), **given)


PLAIN: Final = Rate(day=D("39.90"))
FORTY: Final = Rate(day=D(40))
CHRISTMAS: Final = {"day": D(80)}
FULL: Final = price_list(
    FORTY,
    taxes=Taxes(hire=D("0.23"), cover=D(0), fuel=D("0.13")),
    young_driver=YoungDriver(under=25, per_day=D(12), cap=D(100)),
    out_of_hours=D(25),
    airport_share=D("0.12"),
)
LISTS: Final = {
    "city": price_list(
        Rate(day=D(40), hour=D(9), weekend=D(50), week=D(210), month=D(720)),
        seasons=(
            season(
                "Summer", date(2026, 7, 1), date(2026, 8, 31),
                day=D(60), hour=D(13), weekend=D(75), week=D(350),
            ),
            season("Christmas", date(2026, 12, 20), date(2027, 1, 6), **CHRISTMAS),
        ),
    ),
    "plain": price_list(PLAIN),
    "strict": price_list(PLAIN, grace_minutes=0),
    "kind": price_list(PLAIN, grace_minutes=180),
    "friday": price_list(Rate(day=D(45), weekend=D(35)), weekend=(5, 6)),
    "weekly": price_list(Rate(day=D(160), week=D(150))),
    "lease": price_list(Rate(day=D(35), month=D(560)), month_days=28),
    "pair": price_list(
        Rate(day=D(40), month=D(600)),
        seasons=(
            season("Festival", date(2026, 6, 10), date(2026, 6, 20), day=D(55), month=D(900)),
            season("Summer", date(2026, 6, 1), date(2026, 9, 30), day=D(45), month=D(900)),
        ),
    ),
    "event": price_list(
        Rate(day=D(40), week=D(210)),
        seasons=(season("Final", date(2026, 6, 13), date(2026, 6, 13), day=D(120)),),
    ),
    "early": price_list(
        FORTY,
        adjustments=(
            Adjustment(texts=texts("Early"), share=D("-0.10"), lead_from=30),
            Adjustment(texts=texts("Last minute"), share=D("0.15"), lead_to=1),
            Adjustment(texts=texts("Two weeks"), share=D("-0.05"), days_from=14),
        ),
    ),
    "full": FULL,
    "tank": msgspec.structs.replace(FULL, fuel=Fuel(policy="prepaid", tank=D(84))),
    "exact": price_list(Rate(day=D("10.50")), taxes=Taxes(hire=D("0.05"))),
    "fine": price_list(Rate(day=D("33.333333"))),
    "free": price_list(Rate(day=D(0))),
    "yen": price_list(Rate(day=D(5999)), currency="JPY", taxes=Taxes(hire=D("0.10"))),
    "dinar": price_list(Rate(day=D("95.5")), currency="TND", taxes=Taxes(hire=D("0.19"))),
    "york": price_list(
        Rate(day=D(55), hour=D(12)),
        currency="USD",
        taxes=Taxes(hire=D("0.08875")),
        grace_minutes=30,
    ),
}  # fmt: skip
ZONES: Final = {"york": "America/New_York"}
DECIMALS: Final = {"EUR": 2, "USD": 2, "JPY": 0, "TND": 3}

DISCOUNTS: Final = {
    each.code: each
    for each in (
        Discount(code="TEN", texts=texts("Ten"), share=D("0.10")),
        Discount(code="THIRD", texts=texts("A third"), share=D("0.33")),
        Discount(code="HALF", texts=texts("Half"), share=D("0.5")),
        Discount(code="ALL", texts=texts("Free"), share=D(1)),
        Discount(code="FIVE", texts=texts("Five"), amount=D(5)),
        Discount(code="FIFTY", texts=texts("Fifty"), amount=D(50)),
        Discount(code="STUDENT", texts=texts("Students"), share=D("0.15"), combines=True),
        Discount(code="LOYAL", texts=texts("Loyalty"), share=D("0.05"), combines=True),
        Discount(code="THREE", texts=texts("Three"), amount=D(3), combines=True),
    )
}
EXTRAS: Final = {
    "seat": Extra(code="seat", texts=texts("Child seat"), price=D(5), cap=D(40)),
    "map": Extra(code="map", texts=texts("Map"), price=D("9.90"), per="hire"),
    "cover": Extra(code="cover", texts=texts("Cover"), kind="cover", price=D(14)),
    "driver": Extra(code="driver", texts=texts("Driver"), kind="driver", price=D(8), cap=D(80)),
}
OPTIONS: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    "lead": lambda value: {"lead_days": int(value)},
    "ages": lambda value: {"ages": tuple(map(int, value.split(",")))},
    "oneway": lambda value: {"one_way": D(value)},
    "hours": lambda value: {"out_of_hours": tuple(value.split(","))},
    "airport": lambda _: {"at_airport": True},
}
RULES: Final = {
    "month": rules.RATE_MONTHLY,
    "week": rules.RATE_WEEKLY,
    "weekend": rules.RATE_WEEKEND,
    "day": rules.RATE_DAILY,
    "hour": rules.RATE_HOURLY,
    "adjust": rules.ADJUSTMENT,
    "discount": rules.DISCOUNT,
    "young": rules.YOUNG_DRIVER,
    "oneway": rules.ONE_WAY,
    "hours": rules.OUT_OF_HOURS,
    "airport": rules.AIRPORT,
    "extra": rules.EXTRA,
    "cover": rules.EXTRA,
    "tank": rules.FUEL_PREPAID,
}
TAXED_AS: Final = {"cover": "cover", "tank": "fuel", "extra": "extra"}


@dataclass(frozen=True)
class Golden:
    """A row of the table."""

    name: str
    starts_at: str
    ends_at: str
    options: str
    lines: str
    shows: str

    @property
    def terms(self) -> Terms:
        return LISTS[self.name]

    def asked(self) -> Asked:
        zone = ZONES.get(self.name, LISBON)
        given: dict[str, Any] = {"chosen": (), "discounts": ()}
        for option in self.options.split():
            key, _, value = option.partition("=")
            if key in EXTRAS:
                chosen = Chosen(extra=EXTRAS[key], quantity=int(value))
                given["chosen"] = (*given["chosen"], chosen)
            elif key == "code":
                given["discounts"] = (*given["discounts"], DISCOUNTS[value])
            else:
                given |= OPTIONS[key](value)
        return Asked(
            starts_at=from_wall(datetime.fromisoformat(self.starts_at), zone),
            ends_at=from_wall(datetime.fromisoformat(self.ends_at), zone),
            zone=zone,
            **given,
        )

    def expected(self) -> Iterator[tuple[str, Decimal, Decimal]]:
        """The unit as written, the quantity, the price."""
        for line in self.lines.split(" + "):
            quantity, _, rest = line.partition(" ")
            unit, _, price = rest.partition("@")
            yield unit, D(quantity), D(price)

    def comes_to(self) -> tuple[Decimal, Decimal]:
        """Net and gross, added up from the written lines alone."""
        coin = D(1).scaleb(-DECIMALS[self.terms.currency])
        net = gross = D(0)
        for unit, quantity, price in self.expected():
            kind = TAXED_AS.get(unit, "hire")
            amount = (quantity * price).quantize(coin, ROUND_HALF_UP)
            tax = (amount * self.terms.taxes.of(kind)).quantize(coin, ROUND_HALF_UP)
            net, gross = net + amount, gross + amount + tax
        return net, gross


def rows() -> list[Golden]:
    lines = TABLE.read_text("utf-8").splitlines()
    cells = [line.split("|") for line in lines if line and not line.startswith("#")]
    return [Golden(*(cell.strip() for cell in row)) for row in cells]


def told(line: Line) -> tuple[str, Decimal, Decimal]:
    """A line as the table writes it."""
    names = {rule: unit for unit, rule in RULES.items() if unit != "cover"}
    unit = names[line.rule]
    if line.evidence.get("kind") == "cover":
        unit = "cover"
    if unit in {"week", "month"} and line.evidence["unit"] == "day":
        unit = f"{unit}:day"
    return unit, line.quantity, line.unit_price.amount


def test_the_table_has_two_hundred_quotes_all_different() -> None:
    """And uses every price list, discount and extra that is made for it."""
    table = rows()
    assert len(table) >= 200
    assert len({(row.name, row.starts_at, row.ends_at, row.options) for row in table}) == len(table)
    assert {row.name for row in table} == set(LISTS)
    options = " ".join(row.options for row in table)
    assert all(f"code={code}" in options for code in DISCOUNTS)


@pytest.mark.parametrize(
    "row", rows(), ids=lambda row: f"{row.name} {row.starts_at}, {row.ends_at} {row.options}"
)
def test_a_quote_is_as_worked_out_by_hand(row: Golden) -> None:
    """Line by line, and in sum; made again from what is stored, it is the same."""
    made = quote(row.terms, row.asked())
    assert Counter(map(told, made.lines)) == Counter(row.expected()), row.shows
    assert (made.net.amount, made.gross.amount) == row.comes_to(), row.shows
    again = [msgspec.json.decode(msgspec.json.encode(each), type=type(each))
             for each in (row.terms, row.asked())]  # fmt: skip
    assert quote(*again) == made
