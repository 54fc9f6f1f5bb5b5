"""Prices: days, tax, late fees, fuel and mileage; recomputable from what was stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import from_wall
from plugins.car_hire.services import describe
from plugins.car_hire.services.pricing import (
    Asked,
    Fuel,
    Late,
    Mileage,
    Rate,
    Readings,
    Taxes,
    Terms,
    bill,
    days,
    quote,
    rules,
)

LISBON = "Europe/Lisbon"
TERMS = Terms(
    currency="EUR",
    rate=Rate(day=Decimal("39.90")),
    taxes=Taxes(hire=Decimal("0.23")),
    deposit=Decimal("300"),
    mileage=Mileage(per_day=200, per_km=Decimal("0.15")),
    fuel=Fuel(per_unit=Decimal("12.50")),
    late=Late(per_hour=Decimal(15)),
    grace_minutes=60,
)


def lisbon(text: str) -> datetime:
    return from_wall(datetime.fromisoformat(text), LISBON)


def asked(starts_at: datetime, ends_at: datetime) -> Asked:
    return Asked(starts_at=starts_at, ends_at=ends_at, zone=LISBON)


@pytest.mark.parametrize(
    ("starts", "ends", "grace", "charged"),
    [
        ("2026-06-01T10:00", "2026-06-01T10:01", 60, 1),
        ("2026-06-01T10:00", "2026-06-02T10:00", 60, 1),
        ("2026-06-01T10:00", "2026-06-02T11:00", 60, 1),
        ("2026-06-01T10:00", "2026-06-02T11:01", 60, 2),
        ("2026-06-01T10:00", "2026-06-02T10:00", 0, 1),
        ("2026-06-01T10:00", "2026-06-02T10:01", 0, 2),
        # Month ends, a leap day, a year's end.
        ("2026-01-31T09:00", "2026-02-01T09:00", 0, 1),
        ("2026-02-27T09:00", "2026-03-01T09:00", 0, 2),
        ("2028-02-28T09:00", "2028-03-01T09:00", 0, 2),
        ("2026-12-31T23:30", "2027-01-01T23:30", 0, 1),
        # Clocks forward on 29 March 2026: wall to wall is 23 hours.
        ("2026-03-28T10:00", "2026-03-29T10:00", 0, 1),
        ("2026-03-28T10:00", "2026-03-29T11:00", 0, 1),
        ("2026-03-28T10:00", "2026-03-29T11:01", 0, 2),
        # Clocks back on 25 October 2026: wall to wall is 25 hours, which the usual grace forgives.
        ("2026-10-24T10:00", "2026-10-25T10:00", 60, 1),
        ("2026-10-24T10:00", "2026-10-25T10:00", 59, 2),
        ("2026-10-24T10:00", "2026-10-25T10:01", 60, 2),
    ],
)
def test_days_are_24_hours_started_after_the_grace(
    starts: str, ends: str, grace: int, charged: int
) -> None:
    """A day is 24 hours of real time; the grace at its end is free, whatever clocks show."""
    assert days(lisbon(starts), lisbon(ends), grace) == charged


def test_a_hire_that_ends_before_it_starts_has_no_price() -> None:
    """Neither backwards nor empty periods can be priced."""
    moment = lisbon("2026-06-01T10:00")
    for end in (moment, moment - timedelta(minutes=1)):
        with pytest.raises(ValueError, match="ends after"):
            quote(TERMS, asked(moment, end))


def test_a_quote_names_its_rule_and_adds_tax() -> None:
    """Three days at 39.90 are 119.70 net, 27.53 tax at 23 %, 147.23 in all."""
    made = quote(TERMS, asked(lisbon("2026-06-01T10:00"), lisbon("2026-06-04T10:30")))
    (line,) = made.lines
    assert (line.rule, line.quantity, line.evidence["days"]) == ("rate.daily", 3, 3)
    assert [str(each.amount) for each in (made.net, made.tax, made.gross)] == [
        "119.70",
        "27.53",
        "147.23",
    ]


def test_yen_have_no_decimals() -> None:
    """Rounding follows the currency: tax on 5,999 yen at 10 % is 600."""
    terms = msgspec.structs.replace(
        TERMS,
        currency="JPY",
        rate=Rate(day=Decimal(5999)),
        taxes=Taxes(hire=Decimal("0.1")),
    )
    made = quote(terms, asked(lisbon("2026-06-01T10:00"), lisbon("2026-06-02T10:00")))
    assert (made.tax.amount, made.gross.amount) == (600, 6599)


def seen(
    *, late: timedelta = timedelta(0), driven: int = 0, fuel_out: int = 8, fuel_in: int = 8
) -> Readings:
    due = lisbon("2026-06-04T10:00")
    return Readings(
        due_at=due,
        returned_at=due + late,
        odometer_out=10_000,
        odometer_in=10_000 + driven,
        fuel_out=fuel_out,
        fuel_in=fuel_in,
    )


@pytest.mark.parametrize(
    ("readings", "lines"),
    [
        (seen(), {}),
        (seen(late=timedelta(minutes=-90)), {}),
        (seen(late=timedelta(minutes=60)), {}),
        (seen(late=timedelta(minutes=61)), {"late.hourly": "30.00"}),
        (seen(late=timedelta(hours=5)), {"late.hourly": "75.00"}),
        (seen(driven=600), {}),
        (seen(driven=601), {"mileage.excess": "0.15"}),
        (seen(fuel_in=5), {"fuel.missing": "37.50"}),
        (seen(fuel_out=5, fuel_in=8), {}),
        (
            seen(late=timedelta(hours=2), driven=700, fuel_in=7),
            {"late.hourly": "30.00", "fuel.missing": "12.50", "mileage.excess": "15.00"},
        ),
    ],
)
def test_a_return_is_billed_by_rule(readings: Readings, lines: dict[str, str]) -> None:
    """Late after the grace, fuel that is missing, distance beyond the allowance of three days."""
    made = bill(TERMS, 3, readings)
    assert {line.rule: str(line.net.amount) for line in made.lines} == lines


def test_an_odometer_cannot_run_backwards() -> None:
    """A reading below the one at the start is refused, not billed as nothing."""
    with pytest.raises(ValueError, match="backwards"):
        bill(TERMS, 1, seen(driven=-1))


amounts = st.decimals(0, 10_000, places=4)
moments = st.datetimes(
    datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(ZoneInfo(LISBON))
)
terms = st.builds(
    Terms,
    currency=st.sampled_from(["EUR", "JPY", "TND"]),
    rate=st.builds(Rate, day=amounts, hour=st.none() | amounts, week=st.none() | amounts),
    taxes=st.builds(Taxes, hire=st.decimals(0, 1, places=4)),
    deposit=amounts,
    mileage=st.builds(Mileage, per_day=st.integers(0, 1000), per_km=amounts),
    fuel=st.builds(Fuel, per_unit=amounts),
    late=st.builds(Late, per_hour=amounts),
    grace_minutes=st.integers(0, 720),
)


@given(terms, moments, st.timedeltas(timedelta(minutes=1), timedelta(days=90)))
def test_a_quote_adds_up_and_is_made_again_from_what_was_stored(
    stored: Terms, starts_at: datetime, lasts: timedelta
) -> None:
    """Lines add up to sums to the coin, and the JSON kept in the database gives the same quote."""
    made = quote(stored, asked(starts_at, starts_at + lasts))
    assert made.net + made.tax == made.gross
    assert sum(line.gross.amount for line in made.lines) == made.gross.amount
    assert made.gross == made.gross.rounded()
    again = msgspec.convert(msgspec.to_builtins(stored), Terms)
    assert quote(again, asked(starts_at, starts_at + lasts)) == made


@given(moments, st.timedeltas(timedelta(minutes=1), timedelta(days=400)), st.integers(0, 720))
def test_a_longer_hire_never_has_fewer_days(
    starts_at: datetime, lasts: timedelta, grace: int
) -> None:
    """Days grow with time, one for each 24 hours and no more."""
    ends_at = starts_at.astimezone(ZoneInfo("UTC")) + lasts
    charged = days(starts_at, ends_at, grace)
    assert charged <= days(starts_at, ends_at + timedelta(hours=24), grace) <= charged + 1
    assert (charged - 1) * timedelta(hours=24) < max(lasts, timedelta(microseconds=1))


@given(
    terms,
    st.integers(1, 60),
    st.timedeltas(timedelta(days=-10), timedelta(days=10)),
    st.integers(0, 20_000),
    st.integers(0, 8),
    st.integers(0, 8),
)
def test_a_bill_is_never_negative(
    stored: Terms, charged: int, late: timedelta, driven: int, fuel_out: int, fuel_in: int
) -> None:
    """Coming back early, short of distance or with more fuel earns no money."""
    made = bill(stored, charged, seen(late=late, driven=driven, fuel_out=fuel_out, fuel_in=fuel_in))
    assert all(line.gross.amount >= 0 for line in made.lines)
    assert made.net + made.tax == made.gross


def test_every_rule_has_words() -> None:
    """Whatever makes a line can be told to people."""
    names = {value for key, value in vars(rules).items() if key.isupper()}
    assert names == set(describe.TEXTS)
