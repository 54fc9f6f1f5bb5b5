"""A Struct's fields as forms see them: type, bounds, label, attributes for the browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from core.web.forms.fields import Label

_SIMPLE = (
    (inspect.BoolType, "bool"),
    (inspect.IntType, "int"),
    (inspect.FloatType, "float"),
    (inspect.DecimalType, "decimal"),
    (inspect.DateTimeType, "datetime"),
    (inspect.DateType, "date"),
    (inspect.TimeType, "time"),
    (inspect.UUIDType, "uuid"),
    (inspect.StrType, "str"),
    (inspect.EnumType, "choice"),
    (inspect.LiteralType, "choice"),
)
_LISTS = (inspect.ListType, inspect.SetType, inspect.FrozenSetType, inspect.VarTupleType)


@dataclass(frozen=True)
class FieldSpec:
    """One field: ``name`` in Python, ``key`` on the wire, ``kind`` the sort of its value."""

    name: str
    key: str
    kind: str
    type: Any
    required: bool
    optional: bool
    default: Any
    rules: inspect.Type
    extra: dict[str, Any]

    @property
    def label(self) -> Label:
        """What people call it."""
        return self.extra.get("label") or self.name.replace("_", " ").capitalize()

    @property
    def values(self) -> tuple[str, ...]:
        """The values of a choice."""
        if isinstance(self.rules, inspect.EnumType):
            return tuple(str(member.value) for member in self.rules.cls)
        if isinstance(self.rules, inspect.LiteralType):
            return tuple(str(value) for value in self.rules.values)
        return ()

    @property
    def bounds(self) -> tuple[Any, Any]:
        """The least and the greatest value, or None."""
        low = self.extra.get("min", getattr(self.rules, "ge", None))
        high = self.extra.get("max", getattr(self.rules, "le", None))
        return low, high

    def attributes(self) -> dict[str, Any]:
        """HTML attributes by which the browser checks before it sends."""
        found: dict[str, Any] = {"required": self.required and self.kind != "bool"}
        if isinstance(self.rules, inspect.StrType):
            found["minlength"] = (self.rules.min_length or 0) if self.required else None
            found["maxlength"] = self.rules.max_length
            if self.rules.pattern and self.extra.get("input") == "text":
                found["pattern"] = re.sub(r"^\^|\$$", "", self.rules.pattern)
        if self.kind in {"int", "float", "date"}:
            found["min"], found["max"] = self.bounds
        if self.kind == "float":
            found["step"] = "any"
        if self.extra.get("accept"):
            found["accept"] = self.extra["accept"]
        return {name: value for name, value in found.items() if value not in (None, False, 0, "")}


@cache
def fields_of(struct: type[msgspec.Struct]) -> dict[str, FieldSpec]:
    """The fields of ``struct`` by their key on the wire."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    declared = {field.name: field for field in msgspec.structs.fields(struct)}
    found: dict[str, FieldSpec] = {}
    for field in info.fields:
        rules, extra, optional = _unwrap(field.type)
        default = declared[field.name].default
        factory = declared[field.name].default_factory
        if factory is not msgspec.NODEFAULT:
            default = factory()
        found[field.encode_name] = FieldSpec(
            name=field.name,
            key=field.encode_name,
            kind=_kind(rules),
            type=declared[field.name].type,
            required=field.required,
            optional=optional,
            default=default,
            rules=rules,
            extra=extra,
        )
    return found


def _unwrap(rules: inspect.Type) -> tuple[inspect.Type, dict[str, Any], bool]:
    extra: dict[str, Any] = {}
    optional = False
    while True:
        if isinstance(rules, inspect.Metadata):
            extra |= rules.extra or {}
            rules = rules.type
        elif isinstance(rules, inspect.UnionType):
            optional = optional or rules.includes_none
            rest = [each for each in rules.types if not isinstance(each, inspect.NoneType)]
            if len(rest) != 1:
                return rules, extra, optional
            rules = rest[0]
        else:
            return rules, extra, optional


def _kind(rules: inspect.Type) -> str:
    if isinstance(rules, _LISTS):
        return "list"
    return next((kind for cls, kind in _SIMPLE if isinstance(rules, cls)), "object")
