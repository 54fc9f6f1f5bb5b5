"""``python -m atrium.reference``: write ``docs/reference/plugin.md`` from the code it describes."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from core.extension import Extension, ExtensionPoint
from core.flags import Flag
from core.jobs import Schedule
from core.notices import Notice
from core.part import OF_EVERY_TENANT
from core.permissions import Permission
from core.personal import PersonalData
from core.plugin import Meter, NavItem, Place, Plugin, Slot
from core.public_pages import PublicPage
from core.quotas import Limit
from core.shape import name_of
from core.web.listed import Listed
from core.webhooks import Webhook
from tenants.installed import installed

FILE: Final = Path(__file__).parents[1] / "docs" / "reference" / "plugin.md"
DECLARED: Final = (
    Plugin, NavItem, Permission, Schedule, Slot, Place, Extension, ExtensionPoint, PersonalData,
    Meter, Limit, Flag, Notice, PublicPage, Listed, Webhook,
)  # fmt: skip
"""What a declaration is made of, in the order of the page."""

_HEAD: Final = """\
# The plugin's declaration

Written by `python -m atrium.reference` from the code; a test fails when it is out of date.
[The tutorial](../tutorial.md) shows a plugin grow. A plugin imports `core` alone.
"""


@dataclass(frozen=True, slots=True)
class Field:
    """A field as its class says it: the default is source text, None where one must be given."""

    name: str
    type: str
    default: str | None
    meaning: str


class Undocumented(LookupError):
    """A field that has no words of its own."""


def fields_of(kind: type) -> Iterator[Field]:
    """The fields of a dataclass or Struct, with the string that follows each.

    Raises:
        Undocumented: naming the field without one.
    """
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    for statement, following in zip(body.body, [*body.body[1:], None], strict=True):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        words = _string(following)
        if words is None:
            raise Undocumented(f"{kind.__name__}.{statement.target.id}: say below it what it is")
        yield Field(
            name=statement.target.id,
            type=ast.unparse(statement.annotation),
            default=ast.unparse(statement.value) if statement.value else None,
            meaning=" ".join(words.split()),
        )


def _string(statement: ast.stmt | None) -> str | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        value = statement.value.value
        return value if isinstance(value, str) else None
    return None


def owners() -> list[Plugin]:
    """Core's parts and the products of this distribution; what others installed has its own."""
    ours = (each for each in installed() if each.package.startswith("plugins."))
    return [*OF_EVERY_TENANT, *ours]


def page() -> str:
    """The whole page."""
    return "\n".join(
        [
            _HEAD,
            *(line for kind in DECLARED for line in _class(kind)),
            *_places(owners()),
            *_points(owners()),
        ]
    )


def _class(kind: type) -> Iterator[str]:
    yield f"## `{kind.__name__}`\n"
    yield f"From `{kind.__module__}`. {_words(inspect.getdoc(kind))}\n"
    yield "| Field | Type | Default | |"
    yield "|---|---|---|---|"
    for each in fields_of(kind):
        default = f"`{_cell(each.default)}`" if each.default is not None else "needed"
        yield f"| `{each.name}` | `{_cell(each.type)}` | {default} | {_words(each.meaning)} |"
    yield ""


def _places(parts: Iterable[Plugin]) -> Iterator[str]:
    yield "## Places that there are\n"
    yield "| Name | Beside the session, `fill` is given | Page |"
    yield "|---|---|---|"
    for place in (each for owner in parts for each in owner.places):
        given = ", ".join(f"`{name}: {kind.__name__}`" for name, kind in place.context.items())
        yield f"| `{place.name}` | {given or 'nothing'} | {_words(place.page)} |"
    yield ""


def _points(parts: Iterable[Plugin]) -> Iterator[str]:
    yield "## Extension points that there are\n"
    for point in (each for owner in parts for each in owner.extension_points):
        yield f"### `{point.name}`, version {point.version}\n"
        yield f"{_words(point.purpose)} A statement may take {point.seconds:g} s.\n"
        yield from _struct("Is asked", point.asks)
        if answered := _struct_in(point.answers):
            yield f"Answers `{name_of(point.answers)}`.\n"
            yield from _struct("Each", answered)
        else:
            yield f"Answers `{name_of(point.answers)}`.\n"


def _struct(title: str, kind: type[msgspec.Struct]) -> Iterator[str]:
    yield f"{title} `{kind.__name__}`: {_words(inspect.getdoc(kind))}\n"
    for each in msgspec.structs.fields(kind):
        needed = "" if each.required else " (may be left out)"
        yield f"- `{each.name}: {name_of(each.type)}`{needed}"
    yield ""


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    inside = [each for each in getattr(kind, "__args__", ()) if isinstance(each, type)]
    return next((each for each in inside if issubclass(each, msgspec.Struct)), None)


def _words(text: str | None) -> str:
    return " ".join((text or "").replace("``", "`").split()).replace("|", "\\|")


def _cell(source: str) -> str:
    return source.replace("|", "\\|")


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(page())
