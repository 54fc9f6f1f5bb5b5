"""Rules about single values that types alone cannot say: plates, VINs, amounts, ages, licences."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

from core.errors import FieldError, Invalid
from core.i18n import LazyText, _, fill
from core.money import LARGEST, Money
from plugins.car_hire.schemas import COUNTRIES

_VIN: Final = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_PLATE: Final = re.compile(r"[\w-]{2,15}")
_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f.]+(\.[^@\s\x00-\x1f.]+)*")
_VALUES: Final = dict(
    zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", [*range(10), *range(1, 9), *range(1, 6), 7, 9,
        *range(2, 10)], strict=True)
)  # fmt: skip
_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_CHECKED_REGIONS: Final = frozenset("12345L")
"""North America (49 CFR 565.15) and China (GB 16735) put a check digit ninth; others need not."""


def refuse(found: Iterable[FieldError | None]) -> None:
    """Raise all that was found at once.

    Raises:
        Invalid: naming every field at fault.
    """
    errors = [error for error in found if error is not None]
    if errors:
        raise Invalid(errors=errors)


def coins(amount: Decimal, currency: str, field: str = "amount") -> None:
    """Let pass an amount that can be paid: of yen there is no half.

    Raises:
        Invalid: it has more decimals than the currency.
    """
    if Money(amount, currency).rounded().amount != amount:
        text = fill(_("{currency} has no such small coins"), currency=currency)
        raise Invalid(text, field=field)


def normal_plate(text: str) -> str:
    """A plate as it is kept: upper case, without spaces.

    Raises:
        Invalid: it cannot be a plate.
    """
    plate = re.sub(r"\s+", "", text).upper()
    if not _PLATE.fullmatch(plate):
        raise Invalid(_("Enter the plate as it stands on the car"), field="plate")
    return plate


def normal_vin(text: str) -> str:
    """A vehicle identification number as it is kept.

    Raises:
        Invalid: not 17 permitted characters, or the check digit is wrong where one is required.
    """
    vin = re.sub(r"\s+", "", text).upper()
    if not _VIN.fullmatch(vin):
        raise Invalid(_("A VIN has 17 letters and digits, without I, O and Q"), field="vin")
    if vin[0] in _CHECKED_REGIONS and vin[8] != check_digit(vin):
        raise Invalid(_("This VIN's check digit is wrong: compare it with the car"), field="vin")
    return vin


def check_digit(vin: str) -> str:
    """The ninth character that the other sixteen require (49 CFR 565.15)."""
    weighed = sum(
        _VALUES[character] * weight for character, weight in zip(vin, _WEIGHTS, strict=True)
    )
    return "X" if weighed % 11 == 10 else str(weighed % 11)


def amount(field: str, value: Decimal, decimals: int = 4) -> FieldError | None:
    """Money that somebody typed: finite, not negative, not absurd, not finer than we keep."""
    if not value.is_finite() or value < 0:
        return FieldError(field, _("Enter an amount of zero or more"))
    if value > LARGEST:
        return FieldError(field, _("This amount is too large"))
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > decimals:
        return FieldError(field, _("This amount has too many decimals"))
    return None


def email(value: str) -> FieldError | None:
    """An address that mail could reach; the mail itself is the proof."""
    if len(value) > 254 or not _EMAIL.fullmatch(value):
        return FieldError("email", _("Enter an e-mail address like name@example.com"))
    return None


def country(field: str, code: str) -> FieldError | None:
    """An ISO 3166-1 country."""
    if code not in COUNTRIES:
        return FieldError(field, _("Choose a country"))
    return None


def age(born: date, on: date) -> int:
    """Full years on a day; who was born on 29 February turns a year older on 1 March."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


class Unfit(Invalid):
    """The customer may not drive this car at that time; the message says why."""

    code = "car_hire.driver"
    title = _("This customer cannot hire this car")


def check_driver(
    born: date, licence_expires: date, *, minimum_age: int, starts_on: date, ends_on: date
) -> None:
    """The driver is old enough when the hire starts, and the licence lasts until it ends.

    Raises:
        Unfit: naming the field at fault.
    """
    if age(born, starts_on) < minimum_age:
        raise Unfit(_TOO_YOUNG, field="born")
    if licence_expires < ends_on:
        raise Unfit(_LICENCE_ENDS, field="licence_expires")


_TOO_YOUNG: Final[LazyText] = _("The driver is too young for this class of car")
_LICENCE_ENDS: Final[LazyText] = _("The driving licence expires before the hire ends")
