"""From what was sent to a Struct: each field on its own, every error at once."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

import msgspec

from core import clock
from core.errors import DomainError, FieldError, Invalid
from core.web.formatting import zone
from core.web.forms import messages
from core.web.forms.bound import Bound
from core.web.forms.schema import FieldSpec, fields_of

T = TypeVar("T", bound=msgspec.Struct)

FORM_KEY: Final = "form_key"
"""The hidden field that tells one sending of a form from another (``core.web.idempotency``)."""
_NOTHING: Final = object()
_UNREADABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffd]")


def blank(struct: type[T], initial: Mapping[str, Any] | msgspec.Struct | None = None) -> Bound[T]:
    """The form before anybody typed, showing ``initial`` or the Struct's own defaults."""
    specs = fields_of(struct)
    nothing = (msgspec.NODEFAULT, msgspec.UNSET)
    raw = {k: s.default for k, s in specs.items() if s.default not in nothing}
    if isinstance(initial, msgspec.Struct):
        initial = msgspec.structs.asdict(initial)
    raw.update(initial or {})
    return Bound(struct=struct, raw=raw)


def bind(struct: type[T], data: Mapping[str, Any]) -> Bound[T]:
    """The posted ``data`` (text by key, lists for repeated keys) as a form.

    A blank field counts as not given; an absent check box or list is empty.
    """
    given: dict[str, Any] = {}
    for key, spec in fields_of(struct).items():
        value = data.get(key)
        if spec.kind == "list":
            values = value if isinstance(value, list) else [value]
            given[key] = [each for each in values if each not in (None, "")]
        elif spec.kind == "bool":
            given[key] = value not in (None, "", "false", "off", "0", False)
        elif isinstance(value, str):
            kept = value if spec.extra.get("input") == "password" else value.strip()
            if kept:
                given[key] = kept
        elif value is not None:
            given[key] = value
    given |= {key: data[key] for key in data if key not in fields_of(struct)}
    form = bound(struct, given, typed=True)
    form.raw = data
    return form


def bound(struct: type[T], given: Mapping[str, Any], *, typed: bool = False) -> Bound[T]:
    """``given`` as a form; ``typed`` values are texts that may stand for numbers and dates."""
    specs = fields_of(struct)
    form: Bound[T] = Bound(struct=struct, raw=given)
    form.errors += [FieldError(k, messages.UNKNOWN) for k in given if k not in specs]
    values: dict[str, Any] = {}
    for key, spec in specs.items():
        value = given.get(key, _NOTHING)
        if value is _NOTHING:
            if spec.required and spec.optional:
                values[spec.name] = None
            elif spec.required:
                form.errors.append(FieldError(key, messages.MISSING))
            continue
        found, error = _convert(spec, value, typed=typed)
        if error is not None:
            form.errors.append(error)
        else:
            values[spec.name] = found
    if not form.errors:
        _build(form, values)
    return form


def _build(form: Bound[T], values: dict[str, Any]) -> None:
    try:
        result = form.struct(**values)
        check = getattr(result, "check", None)
        form.errors += list(check()) if check else []
    except DomainError as error:
        form.refuse(error)
    except ValueError as error:  # a Struct's own __post_init__
        form.errors.append(FieldError("", str(error)))
    else:
        form.result = result


def _convert(spec: FieldSpec, value: Any, *, typed: bool) -> tuple[Any, FieldError | None]:
    if not _storable(value):
        return None, FieldError(spec.key, messages.UNPRINTABLE)
    try:
        ready = _prepared(spec, value, typed=typed)
        found = msgspec.convert(ready, spec.type, strict=not typed, builtin_types=(Decimal,))
    except msgspec.ValidationError as error:
        return None, FieldError(spec.key + _inner_path(error), messages.wrong(spec, value))
    except (ValueError, OverflowError, InvalidOperation):
        return None, FieldError(spec.key, messages.wrong(spec, value))
    if not _storable(found):
        return None, FieldError(spec.key, messages.wrong(spec, value))
    if message := _beyond(spec, found):
        return None, FieldError(spec.key, message)
    return found, None


def _prepared(spec: FieldSpec, value: Any, *, typed: bool) -> Any:
    """People write decimal commas, and times without a zone mean the tenant's clock."""
    if not isinstance(value, str):
        if spec.kind == "decimal" and type(value) in {int, float}:
            return Decimal(str(value))  # the shortest text that reads back: 0.1 is 0.1
        return value
    if typed and spec.kind in {"decimal", "float"}:
        value = value.replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
        if value.count(",") == 1 and "." not in value:
            value = value.replace(",", ".")
    if spec.kind == "decimal":
        return Decimal(value)
    if spec.kind == "datetime":
        moment = datetime.fromisoformat(value)
        if not 1900 <= moment.year <= 2200:
            raise ValueError("beyond any calendar of ours")
        return moment if moment.tzinfo else clock.from_wall(moment, zone())
    return value


def _beyond(spec: FieldSpec, value: Any) -> Any:
    if not isinstance(value, Decimal | date) or isinstance(value, datetime):
        return None
    if message := messages.out_of_bounds(spec, value) if isinstance(value, Decimal) else None:
        return message
    if isinstance(value, date):
        low, high = spec.bounds
        if (low and value < low) or (high and value > high):
            return messages.between(low, high)
        return None
    decimals = spec.extra.get("decimals", 6)
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > decimals:
        return messages.too_precise(decimals)
    return None


def _storable(value: Any) -> bool:
    """No NUL or other control characters, no lone surrogates, no NaN or infinity, at any depth.

    Nor the replacement character, which is all that is left of bytes that were no UTF-8.
    """
    if isinstance(value, str):
        return not _UNREADABLE.search(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Decimal):
        return value.is_finite()
    if isinstance(value, Mapping):
        return all(_storable(k) and _storable(v) for k, v in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_storable, value))
    return True


def _inner_path(error: msgspec.ValidationError) -> str:
    _, found, path = str(error).rpartition(" - at `$")
    return path.rstrip("`") if found else ""


def read_json(struct: type[T], text: bytes) -> T:
    """``text`` as ``struct``.

    Raises:
        Invalid: with every field that is wrong.
    """
    try:
        body = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = _leniently(text)
    if not isinstance(body, dict):
        raise Invalid(messages.NOT_AN_OBJECT)
    return bound(struct, body).value


def _leniently(text: bytes) -> Any:
    """JSON with what only some take for JSON (NaN, lone surrogates): the field that holds it is
    named then, instead of the whole being refused.

    Raises:
        Invalid: it is nothing of the kind.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid(messages.NOT_JSON) from None
