"""Whatever a list says, a quote made by it can be made again from what is stored with it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.car_hire.models import Quote
from plugins.car_hire.services import pricing, quotes

NEW_YEAR = date(2027, 1, 1)
amounts = st.decimals(0, 900, places=2, allow_nan=False)
shares = st.integers(-40, 40).map(lambda n: Decimal(n) / 100)
days = st.none() | st.integers(1, 9)
rates = st.builds(
    pricing.Rate,
    day=amounts,
    hour=st.none() | amounts,
    weekend=st.none() | amounts,
    week=st.none() | amounts,
    month=st.none() | amounts,
)


def season(first: int, length: int, code: str) -> pricing.SeasonDates:
    begin = NEW_YEAR + timedelta(days=first)
    return pricing.SeasonDates(
        code=code, texts={"en": code}, first=begin, last=begin + timedelta(days=length)
    )


houses = st.builds(
    lambda seasons, adjustments, taxes, airport: pricing.HouseRules(
        seasons=tuple(season(first, length, f"s{place}")
            for place, (first, length) in enumerate(seasons)),
        adjustments=tuple(
            pricing.Adjustment(texts={"en": "x"}, share=share, lead_from=lead, days_to=most)
            for share, lead, most in adjustments
        ),
        taxes=tuple(
            pricing.TaxRule(kind="hire", rate=abs(rate), valid_from=NEW_YEAR + timedelta(days=day))
            for rate, day in taxes
        ),
        airport_share=airport,
    ),
    st.lists(st.tuples(st.integers(-30, 60), st.integers(0, 30)), max_size=3),
    st.lists(st.tuples(shares, days, days), max_size=2),
    st.lists(st.tuples(shares, st.integers(-99, 30)), max_size=3, unique_by=lambda each: each[1]),
    st.sampled_from([Decimal(0), Decimal("0.12")]),
)  # fmt: skip
prices = st.builds(
    pricing.ClassPrices,
    rate=rates,
    seasons=st.dictionaries(st.sampled_from(["s0", "s1", "s2"]), rates, max_size=3),
    deposit=amounts,
    fuel=st.sampled_from([pricing.Fuel(), pricing.Fuel(policy="prepaid", tank=Decimal(84))]),
)


@settings(max_examples=150, deadline=None)
@given(houses, prices, st.integers(0, 24 * 90), st.integers(1, 24 * 70), st.integers(0, 40))
def test_a_quote_by_any_list_is_made_again_from_what_is_stored(
    house: pricing.HouseRules, each: pricing.ClassPrices, start: int, hours: int, lead: int
) -> None:
    """List, terms and what was asked go through JSON, as in the database, and nothing changes."""
    starts_at = datetime(2026, 12, 1, tzinfo=UTC) + timedelta(hours=start)
    asked = pricing.Asked(
        starts_at=starts_at, ends_at=starts_at + timedelta(hours=hours),
        zone="Europe/Lisbon", lead_days=lead,
    )  # fmt: skip

    def stored(value: Any) -> Any:
        return msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(value)))

    kept = msgspec.convert(stored(house), pricing.HouseRules)
    assert kept == house
    terms = pricing.terms(
        kept,
        msgspec.convert(stored(each), pricing.ClassPrices),
        currency="EUR",
        day=starts_at.date(),
        grace_minutes=60,
        late_per_hour=Decimal(15),
    )
    made = pricing.quote(terms, asked)
    quote = Quote(terms=stored(terms), asked=stored(asked))
    assert quotes.again(quote) == made
    assert made.net + made.tax == made.gross
