"""Money is exact, keeps its unit, and is rounded in one way."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money, is_currency, round_to, total

amounts = st.decimals(
    min_value=Decimal("-1e9"), max_value=Decimal("1e9"), places=4, allow_nan=False
)


@pytest.mark.parametrize(
    ("amount", "unit", "rounded", "minor"),
    [
        ("12.345", "EUR", "12.35", 1235),
        ("-12.345", "EUR", "-12.35", -1235),
        ("12.344999", "EUR", "12.34", 1234),
        ("1234.5", "JPY", "1235", 1235),
        ("1.2345", "TND", "1.235", 1235),
    ],
)
def test_an_amount_is_rounded_to_its_currency_halves_away_from_zero(
    amount: str, unit: str, rounded: str, minor: int
) -> None:
    """Two decimals for the euro, none for the yen, three for the Tunisian dinar."""
    money = Money.of(amount, unit)
    assert money.rounded().amount == Decimal(rounded)
    assert money.minor == minor
    assert Money.from_minor(minor, unit) == money.rounded()


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_an_amount_that_is_not_a_number_is_refused(amount: str) -> None:
    """A price that is not finite would poison every sum it enters."""
    with pytest.raises(ValueError, match="finite"):
        Money.of(amount, "EUR")


@pytest.mark.parametrize("amount", ["", "12,50", "12.50 €", "one"])
def test_text_that_is_no_numeral_is_refused(amount: str) -> None:
    """Nothing is guessed from text that a person wrote for people."""
    with pytest.raises(ValueError, match="is not an amount"):
        Money.of(amount, "EUR")


def test_two_units_do_not_combine() -> None:
    """Euros and pounds neither add nor compare."""
    with pytest.raises(ValueError, match="cannot combine EUR with GBP"):
        Money.of(1, "EUR") + Money.of(1, "GBP")
    with pytest.raises(ValueError, match="cannot combine EUR with GBP"):
        assert Money.of(1, "EUR") < Money.of(1, "GBP")


@given(st.lists(amounts, max_size=20))
def test_a_total_loses_nothing(parts: list[Decimal]) -> None:
    """The total of amounts is their exact sum, in whatever order."""
    expected = sum(parts, Decimal(0))
    assert total([Money(part, "EUR") for part in parts], "EUR").amount == expected
    assert total([Money(part, "EUR") for part in reversed(parts)], "EUR").amount == expected


@given(amounts, st.integers(min_value=0, max_value=4))
def test_rounding_moves_an_amount_by_half_a_step_at_most(amount: Decimal, decimals: int) -> None:
    """Rounding twice is rounding once, and never moves by more than half the last place."""
    rounded = round_to(amount, decimals)
    assert abs(rounded - amount) <= Decimal(1).scaleb(-decimals) / 2
    assert round_to(rounded, decimals) == rounded


def test_currencies_are_known_by_their_iso_code() -> None:
    """EUR is one; a made-up or lower-case code is not."""
    assert is_currency("EUR")
    assert not is_currency("EURO")
    assert not is_currency("eur")
