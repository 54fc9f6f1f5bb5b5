"""What a field accepts and how it is drawn, said once, beside its type.

Each function makes the ``msgspec.Meta`` of an ``Annotated`` field. What msgspec can check
(length, pattern, bounds of numbers) it checks; bounds of decimals and dates, which it cannot,
are checked by ``bind`` from the same declaration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from core.errors import FieldError
from core.i18n import LazyText

Label = LazyText | str

EMAIL: Final = r"^[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+$"
"""Shape only; whether it exists is found out by writing to it."""


class Form(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a form or an API body holds."""

    def check(self) -> Iterable[FieldError]:
        """Rules between fields, run when each field alone is right."""
        return ()


def _meta(label: Label, extra: Mapping[str, Any], **rules: Any) -> msgspec.Meta:
    known = {name: value for name, value in extra.items() if value is not None}
    return msgspec.Meta(extra={"label": label, **known}, **rules)


def text(
    label: Label,
    *,
    min: int = 1,  # noqa: A002  # the words of HTML
    max: int = 200,  # noqa: A002
    pattern: str | None = None,
    hint: Label | None = None,
    input: str = "text",  # noqa: A002
    autocomplete: str | None = None,
    placeholder: Label | None = None,
) -> msgspec.Meta:
    """One line of text; ``hint`` also says what is expected when ``pattern`` is not met."""
    extra = {
        "input": input,
        "hint": hint,
        "autocomplete": autocomplete,
        "placeholder": placeholder,
    }
    return _meta(label, extra, min_length=min, max_length=max, pattern=pattern)


def email(label: Label, *, hint: Label | None = None) -> msgspec.Meta:
    """An e-mail address."""
    extra = {"input": "email", "hint": hint, "autocomplete": "email"}
    return _meta(label, extra, min_length=3, max_length=254, pattern=EMAIL)


def password(label: Label, *, new: bool, hint: Label | None = None) -> msgspec.Meta:
    """A password; it is never shown again after an error."""
    kind = "new-password" if new else "current-password"
    extra = {"input": "password", "hint": hint, "autocomplete": kind}
    return _meta(label, extra, min_length=10 if new else 1, max_length=200)


def long_text(
    label: Label,
    *,
    min: int = 1,  # noqa: A002
    max: int = 4000,  # noqa: A002
    hint: Label | None = None,
) -> msgspec.Meta:
    """Several lines of text."""
    return _meta(label, {"input": "textarea", "hint": hint}, min_length=min, max_length=max)


def whole(
    label: Label,
    *,
    min: int = 0,  # noqa: A002
    max: int = 2_000_000_000,  # noqa: A002
    unit: Label | None = None,
    hint: Label | None = None,
) -> msgspec.Meta:
    """A whole number; the bounds keep it inside a PostgreSQL integer."""
    extra = {"input": "number", "unit": unit, "hint": hint, "step": "1"}
    return _meta(label, extra, ge=min, le=max)


def number(
    label: Label,
    *,
    min: str | int = "-999999999999",  # noqa: A002
    max: str | int = "999999999999",  # noqa: A002
    decimals: int = 3,
    unit: Label | None = None,
    hint: Label | None = None,
) -> msgspec.Meta:
    """An exact decimal with at most ``decimals`` places: for ``Decimal`` fields."""
    extra = {
        "input": "decimal",
        "min": Decimal(min),
        "max": Decimal(max),
        "decimals": decimals,
        "unit": unit,
        "hint": hint,
    }
    return _meta(label, extra)


def amount(
    label: Label,
    *,
    min: str | int = 0,  # noqa: A002
    max: str | int = "9999999999.99",  # noqa: A002
    currency: str | None = None,
    hint: Label | None = None,
) -> msgspec.Meta:
    """An amount of money, without its currency: for ``Decimal`` fields."""
    return number(label, min=min, max=max, decimals=2, unit=currency, hint=hint)


def day(
    label: Label,
    *,
    min: date | None = None,  # noqa: A002
    max: date | None = None,  # noqa: A002
    hint: Label | None = None,
    autocomplete: str | None = None,
) -> msgspec.Meta:
    """A calendar date between 1900 and 2200, or the bounds given."""
    extra = {
        "input": "date",
        "min": min or date(1900, 1, 1),
        "max": max or date(2200, 12, 31),
        "hint": hint,
        "autocomplete": autocomplete,
    }
    return _meta(label, extra)


def moment(label: Label, *, hint: Label | None = None) -> msgspec.Meta:
    """Date and time; without an offset it is read from the tenant's clock."""
    return _meta(label, {"input": "datetime-local", "hint": hint})


def choice(
    label: Label,
    options: Mapping[str, Label] | None = None,
    *,
    hint: Label | None = None,
    look: str = "select",
) -> msgspec.Meta:
    """One of a Literal or enum (``options`` gives their names), or an id from a list that the
    page supplies. ``look`` is ``select`` or ``radio``."""
    return _meta(label, {"input": look, "options": options, "hint": hint})


def file(label: Label, *, accept: str, hint: Label | None = None) -> msgspec.Meta:
    """A file, which ``core.web.forms.files`` reads; ``accept`` are media types with commas."""
    return _meta(label, {"input": "file", "accept": accept, "hint": hint})


def tick(label: Label, *, hint: Label | None = None) -> msgspec.Meta:
    """A check box: for ``bool`` fields; not ticked is False."""
    return _meta(label, {"input": "checkbox", "hint": hint})
