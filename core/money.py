"""Money: an exact amount and its unit. The only rounding function lives here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final, Self

from babel.core import Locale
from babel.numbers import format_currency, get_currency_precision

from core.i18n import locale as reader_locale

_CURRENCIES: Final = frozenset(Locale("en").currencies)

LARGEST: Final = Decimal("999999999999.99")
"""No amount in ordinary trade is larger; a column is ``numeric(20, 6)``."""


def is_currency(code: str) -> bool:
    """Whether ``code`` is an ISO 4217 currency that Unicode's CLDR names."""
    return code in _CURRENCIES


def round_to(amount: Decimal, decimals: int) -> Decimal:
    """``amount`` to ``decimals`` places, halves away from zero, as tax offices round."""
    return amount.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """``amount`` in ``unit``: an ISO 4217 code, a crypto asset or a kind of points.

    Raises:
        ValueError: if the amount is not a finite number.
    """

    amount: Decimal
    unit: str

    def __post_init__(self) -> None:
        if not self.amount.is_finite():
            raise ValueError("money must be a finite amount")

    @classmethod
    def of(cls, amount: str | int | Decimal, unit: str) -> Self:
        """Money from a numeral; floats are not accepted, they cannot hold cents."""
        try:
            return cls(Decimal(amount), unit)
        except InvalidOperation:
            raise ValueError(f"{amount!r} is not an amount") from None

    @classmethod
    def zero(cls, unit: str) -> Self:
        """Nothing, in ``unit``."""
        return cls(Decimal(0), unit)

    @classmethod
    def from_minor(cls, minor: int, unit: str) -> Self:
        """Money from an integer of the unit's smallest coin, as card networks count."""
        return cls(Decimal(minor).scaleb(-get_currency_precision(unit)), unit)

    @property
    def minor(self) -> int:
        """The amount in the unit's smallest coin."""
        return int(self.rounded().amount.scaleb(get_currency_precision(self.unit)))

    def rounded(self) -> Self:
        """To the unit's own decimals: 2 for EUR, 0 for JPY, 3 for TND."""
        return type(self)(round_to(self.amount, get_currency_precision(self.unit)), self.unit)

    def __add__(self, other: Self) -> Self:
        self._same_unit(other)
        return type(self)(self.amount + other.amount, self.unit)

    def __sub__(self, other: Self) -> Self:
        self._same_unit(other)
        return type(self)(self.amount - other.amount, self.unit)

    def __mul__(self, factor: int | Decimal) -> Self:
        return type(self)(self.amount * factor, self.unit)

    def __neg__(self) -> Self:
        return type(self)(-self.amount, self.unit)

    def __lt__(self, other: Self) -> bool:
        self._same_unit(other)
        return self.amount < other.amount

    def __le__(self, other: Self) -> bool:
        self._same_unit(other)
        return self.amount <= other.amount

    def __gt__(self, other: Self) -> bool:
        return not self <= other

    def __ge__(self, other: Self) -> bool:
        return not self < other

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        return format_currency(self.amount, self.unit, locale=reader_locale())

    def _same_unit(self, other: Self) -> None:
        if self.unit != other.unit:
            raise ValueError(f"cannot combine {self.unit} with {other.unit}")


def total(amounts: Iterable[Money], unit: str) -> Money:
    """The sum, zero of ``unit`` when there are none."""
    result = Money.zero(unit)
    for amount in amounts:
        result += amount
    return result
