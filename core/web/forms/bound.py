"""A form with what was typed into it and what is wrong with that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any, Generic, TypeVar

import msgspec

from core.errors import DomainError, FieldError, Invalid
from core.i18n import LazyText
from core.web.formatting import wall
from core.web.forms.schema import FieldSpec, fields_of

Label = LazyText | str
Options = Mapping[str, Label] | Iterable[tuple[object, Label]]

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(kw_only=True)
class Bound(Generic[T]):
    """``value`` is the Struct if all went well; ``raw`` is what was typed, by key."""

    struct: type[T]
    raw: Mapping[str, Any] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)
    result: T | None = None
    id: str = ""
    """Set it where two forms on one page have fields of the same name."""
    prefix: str = ""
    """Goes before every name, where the fields of several Structs are sent together."""

    @property
    def ok(self) -> bool:
        """Whether ``value`` may be used."""
        return self.result is not None and not self.errors

    @property
    def value(self) -> T:
        """The typed value.

        Raises:
            Invalid: with every error, if there are any.
        """
        if self.result is None or self.errors:
            raise Invalid(errors=self.errors)
        return self.result

    def refuse(self, error: DomainError) -> Bound[T]:
        """This form with a service's objection, at the field it names or above the form.

        What the form says already, as when ``value`` raised it, is not said twice.
        """
        objections = error.errors or (FieldError("", error.message),)
        self.errors += [each for each in objections if each not in self.errors]
        return self

    def spec(self, key: str) -> FieldSpec:
        """How the field ``key`` is declared."""
        return fields_of(self.struct)[key]

    @property
    def keys(self) -> list[str]:
        """Every field, as declared."""
        return list(fields_of(self.struct))

    def id_of(self, key: str) -> str:
        """The HTML id of the field ``key``."""
        return f"{self.id}-{key}" if self.id else key

    def name_of(self, key: str) -> str:
        """What the field ``key`` is called when it is sent."""
        return self.prefix + key

    def errors_of(self, key: str) -> list[LazyText | str]:
        """What is wrong with the field ``key``, nested parts included."""
        inside = (f"{key}.", f"{key}[")
        return [e.message for e in self.errors if e.field == key or e.field.startswith(inside)]

    @property
    def stray_errors(self) -> list[FieldError]:
        """What is wrong and belongs to no field of this form."""
        known = fields_of(self.struct)
        return [e for e in self.errors if e.field.partition(".")[0].partition("[")[0] not in known]

    def typed(self, key: str) -> str:
        """What the field ``key`` shows: as typed, never a password or a file."""
        if self.spec(key).extra.get("input") in {"password", "file"}:
            return ""
        return shown(self.raw.get(key))

    def chosen(self, key: str, option: str) -> bool:
        """Whether ``option`` of the field ``key`` is chosen."""
        value = self.raw.get(key)
        values = value if isinstance(value, list | tuple | set | frozenset) else [value]
        return str(option) in {shown(each) for each in values}

    def ticked(self, key: str) -> bool:
        """Whether the check box ``key`` is ticked."""
        return self.raw.get(key) not in (None, "", False, "false", "off", "0")


def shown(value: object) -> str:
    """A value as a form field holds it."""
    if value is None:
        return ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return wall(value) if value.tzinfo else value.strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def field_options(spec: FieldSpec, given: Options | None) -> list[tuple[str, LazyText | str]]:
    """The options of a choice, value and name: those the page gives, else the declared ones.

    ``given`` is a mapping of values to names or a list of such pairs.
    """
    declared: Options | None = spec.extra.get("options")
    options = given if given is not None else declared
    if options is None:
        return [(value, value.replace("_", " ").capitalize()) for value in spec.values]
    source = options.items() if isinstance(options, Mapping) else options
    return [(shown(value), name) for value, name in source]
