"""What must never be written to a log: secrets, tokens and what tells a person from another.

A last net, not a licence: whoever logs should name ids, not people. It works by the names of
fields and, in text such as tracebacks, by the shape of what is known to leak there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

REDACTED: Final = "[redacted]"

_SECRET_FIELDS: Final = re.compile(
    r"(^|_)(password|passwd|secret|token|cookie|cookies|authorization|api_?key|key_material|"
    r"private_key|session_id|dsn|email|e_?mail|phone|mobile|address|recipient|"
    r"licen[cs]e(_number)?|date_of_birth|born(_on)?|iban|card(_number)?|cvc|first_name|"
    r"last_name|full_name)($|_)",
    re.IGNORECASE,
)
_SHAPES: Final = (
    (re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"), REDACTED),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\b(?:sk|rk|pk|whsec)_(?:live_|test_)?\w{8,}"), REDACTED),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), REDACTED),
    # SQLAlchemy's and PostgreSQL's own words quote the values of the row.
    (re.compile(r"\[parameters: .*?\]$", re.MULTILINE | re.DOTALL), "[parameters: hidden]"),
    (re.compile(r"^(DETAIL|CONTEXT|HINT):.*$", re.MULTILINE), r"\1: hidden"),
)
_CARD: Final = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")


def text(value: str) -> str:
    """``value`` without what looks like a secret or personal."""
    for shape, instead in _SHAPES:
        value = shape.sub(instead, value)
    return _CARD.sub(lambda found: "[card]" if _is_card(found[0]) else found[0], value)


def fields(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: the event with every secret or personal value replaced."""
    for name, value in event.items():
        event[name] = _clean(name, value)
    return event


def _clean(name: str, value: Any) -> Any:
    if _SECRET_FIELDS.search(name):
        return REDACTED
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {key: _clean(str(key), each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(name, each) for each in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return text(str(value))


def _is_card(found: str) -> bool:
    """Luhn's check, which payment cards pass and one number in ten otherwise."""
    digits = [int(each) for each in found if each.isdigit()]
    doubled = [sum(divmod(2 * each, 10)) for each in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
