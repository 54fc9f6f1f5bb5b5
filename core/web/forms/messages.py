"""What is wrong with a value, in words that say how to mend it."""

from __future__ import annotations

from typing import Any

from msgspec import inspect

from core.i18n import LazyText, _, fill
from core.web.forms.schema import FieldSpec

MISSING = _("Please fill this in.")
UNKNOWN = _("There is no field of this name here; leave it out.")
UNPRINTABLE = _("This holds a character that cannot be stored; please type it again.")
NOT_AN_OBJECT = _("Send one JSON object.")
NOT_JSON = _("This is not valid JSON.")

_WRONG = {
    "bool": _("Choose yes or no."),
    "int": _("Enter a whole number, such as 12."),
    "float": _("Enter a number, such as 12.5."),
    "decimal": _("Enter a number, such as 12.50."),
    "date": _("Enter a date, such as 2026-03-31."),
    "datetime": _("Enter a date and a time, such as 2026-03-31T14:30."),
    "time": _("Enter a time, such as 14:30."),
    "uuid": _("Choose one from the list."),
    "str": _("Enter text."),
    "list": _("Choose one or more from the list."),
    "object": _("This does not have the expected form."),
}


def wrong(spec: FieldSpec, value: Any) -> LazyText | str:
    """Why ``value`` is not what ``spec`` accepts."""
    if spec.kind == "choice":
        return fill(_("Choose one of: {options}."), options=", ".join(spec.values))
    if spec.kind == "str" and isinstance(value, str):
        return _wrong_text(spec, value)
    if spec.kind in {"int", "float"} and (found := out_of_bounds(spec, value)):
        return found
    return _WRONG[spec.kind]


def _wrong_text(spec: FieldSpec, value: str) -> LazyText | str:
    rules = spec.rules
    assert isinstance(rules, inspect.StrType)
    if not value:
        return MISSING
    if rules.min_length and len(value) < rules.min_length:
        return fill(_("Use at least {count} characters."), count=rules.min_length)
    if rules.max_length is not None and len(value) > rules.max_length:
        return fill(
            _("Use at most {most} characters; these are {count}."),
            most=rules.max_length,
            count=len(value),
        )
    if spec.extra.get("input") == "email":
        return _("Enter an e-mail address, such as name@example.com.")
    hint: LazyText | str | None = spec.extra.get("hint")
    return hint or _("This does not have the expected form.")


def out_of_bounds(spec: FieldSpec, value: Any) -> LazyText | None:
    """The message for a value below the least or above the greatest; None if it is neither."""
    low, high = spec.bounds
    try:
        comparable = type(low if low is not None else high)(value)
        if low is not None and comparable < low:
            return fill(_("Enter {least} or more."), least=low)
        if high is not None and comparable > high:
            return fill(_("Enter {most} or less."), most=high)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return None


def too_precise(decimals: int) -> LazyText:
    """The message for more decimal places than are kept."""
    return fill(_("Use at most {count} decimal places."), count=decimals)


def between(low: Any, high: Any) -> LazyText:
    """The message for a date outside its bounds."""
    return fill(_("Enter a date between {first} and {last}."), first=low, last=high)
