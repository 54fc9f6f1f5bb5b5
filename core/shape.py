"""Whether what one side gives has the shape that the other reads, without a type in common.

A product and the plugin that extends it import each other's types as little as two programs that
talk over the network. Each writes the Struct that it knows; the fields must agree, by name and
type, and whoever gives may give more than is read.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT
from msgspec.structs import fields

T = TypeVar("T")


def lacks(given: Any, wanted: Any) -> str | None:
    """Why a value of type ``given`` cannot be read as ``wanted``; None if it can.

    Builtins without a closer type (``dict``, ``list``) pass here; they are read with care.
    """
    if wanted is Any or given is Any or given == wanted:
        return None
    if _is_struct(given) and _is_struct(wanted):
        return _lacking_fields(given, wanted)
    sides = _plain(given), _plain(wanted)
    if Mapping in sides and (_is_struct(given) or _is_struct(wanted)):
        return None
    if sides[0] is sides[1] and sides[0] in {Sequence, Mapping, Union}:
        return _lacking_inside(given, wanted)
    return f"{name_of(given)} is not {name_of(wanted)}"


def read_as(value: Any, wanted: type[T]) -> T:
    """``value``, a Struct of the other side's or builtins, as ``wanted``.

    Raises:
        msgspec.ValidationError: naming the field that is missing or of another type.
    """
    return msgspec.convert(value, wanted, from_attributes=True)


def _lacking_fields(given: type[msgspec.Struct], wanted: type[msgspec.Struct]) -> str | None:
    offered = {field.name: field for field in fields(given)}
    for field in fields(wanted):
        if field.name in offered:
            if why := lacks(offered[field.name].type, field.type):
                return f"{wanted.__name__}.{field.name}: {why}"
        elif field.default is NODEFAULT and field.default_factory is NODEFAULT:
            return f"{wanted.__name__}.{field.name}: {given.__name__} has no such field"
    return None


def _lacking_inside(given: Any, wanted: Any) -> str | None:
    inner = [each for each in get_args(given) if each is not Ellipsis]
    outer = [each for each in get_args(wanted) if each is not Ellipsis]
    if inner and outer and len(inner) != len(outer):
        return f"{name_of(given)} is not {name_of(wanted)}"
    return next((why for a, b in zip(inner, outer, strict=False) if (why := lacks(a, b))), None)


def _plain(kind: Any) -> Any:
    """The sort of container that ``kind`` is, whichever way it is written."""
    origin = get_origin(kind) or kind
    if origin in {types.UnionType, Union}:
        return Union
    if isinstance(origin, type):
        if issubclass(origin, Mapping):
            return Mapping
        if issubclass(origin, Sequence) and origin not in {str, bytes}:
            return Sequence
    return origin


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def name_of(kind: Any) -> str:
    """What a type is called in messages and in the reference: ``list[AddedLine]``."""
    args = get_args(kind)
    if not args:
        return kind.__name__ if isinstance(kind, type) else str(kind).rpartition(".")[2]
    if _plain(kind) is Union:
        return " | ".join(map(name_of, args))
    inside = ", ".join("…" if each is Ellipsis else name_of(each) for each in args)
    return f"{get_origin(kind).__name__}[{inside}]"
