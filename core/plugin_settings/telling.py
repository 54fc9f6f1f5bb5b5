"""What a version changed, in the words of the form: label, from, to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from core.i18n import LazyText, _
from core.plugin_settings.models import SettingsVersion
from core.plugin_settings.services import convert
from core.web import formatting
from core.web.forms.bound import field_options, shown
from core.web.forms.schema import FieldSpec, fields_of

Text = LazyText | str
YES, NO, NOTHING = _("yes"), _("no"), "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Change:
    """One field: what it was, what it became, in its unit."""

    label: Text
    before: str
    after: str
    unit: Text


@dataclass(frozen=True, slots=True)
class Told:
    """A version as people read it."""

    version: int
    restored: int | None
    who: str
    at: datetime
    changes: Sequence[Change]


def told(
    plugin: str, kind: type[msgspec.Struct], versions: Sequence[SettingsVersion]
) -> list[Told]:
    """``versions``, newest first; each is compared with the next, the first ever with defaults."""
    found = []
    for position, each in enumerate(versions):
        older = versions[position + 1].value if position + 1 < len(versions) else {}
        if not older and each.version > 1:
            break  # the one that was read only to compare with
        changes = _changes(plugin, kind, older, each.value)
        found.append(
            Told(each.version, each.restored, each.changed_by_name, each.changed_at, changes)
        )
    return found


def _changes(
    plugin: str, kind: type[msgspec.Struct], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Change]:
    old, new = convert(plugin, before, kind), convert(plugin, after, kind)
    return [
        Change(spec.label, _worded(spec, was), _worded(spec, now), spec.extra.get("unit") or "")
        for spec in fields_of(kind).values()
        if (was := getattr(old, spec.name)) != (now := getattr(new, spec.name))
    ]


def _worded(spec: FieldSpec, value: Any) -> str:
    if spec.extra.get("input") == "password":
        return "•••" if value else NOTHING
    if value in (None, "", ()):
        return NOTHING
    if isinstance(value, bool):
        return str(YES if value else NO)
    if isinstance(value, int | float | Decimal):
        return formatting.number(value)
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_worded(spec, each) for each in value)
    names = dict(field_options(spec, None))
    return str(names.get(shown(value), shown(value)))
