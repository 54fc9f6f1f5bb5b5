"""``python -m atrium.api``: write the list of what plugins may use, with signatures.

A test compares the list with the code, and its digest with the newest entry of the changelog:
what plugins rely on does not change unannounced.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final

import core
from core.api import NAMES, VERSION

assert core.__file__ is not None
_REFERENCE: Final = Path(core.__file__).parents[1] / "docs" / "reference"
PAGE: Final = _REFERENCE / "api.md"
LIST: Final = _REFERENCE / "api.json"
CHANGES: Final = _REFERENCE / "api-changes.md"
_ENTRY: Final = re.compile(r"^## (\d+)\.(\d+) · `([0-9a-f]{12})`$", re.MULTILINE)
_ADDRESS: Final = re.compile(r" at 0x[0-9a-f]+")


def described() -> dict[str, str]:
    """Every name as ``module:name``, or ``module:Class.method``, and its signature."""
    found: dict[str, str] = {}
    for module, names in NAMES.items():
        home = importlib.import_module(module)
        for name in names:
            found |= _members(f"{module}:{name}", getattr(home, name))
    return found


def digest(names: Mapping[str, str]) -> str:
    """Twelve characters that change with any name or signature."""
    return hashlib.sha256(json.dumps(names, sort_keys=True).encode()).hexdigest()[:12]


def announced() -> list[tuple[int, int, str]]:
    """The changelog's entries, newest first: both numbers of the version, and the digest."""
    found = _ENTRY.findall(CHANGES.read_text(encoding="utf-8"))
    return [(int(major), int(minor), digest) for major, minor, digest in found]


def strangers(source: str) -> Iterator[str]:
    """What a module uses of core that is not on the list."""
    tree = ast.parse(source)
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if _is_ours(each.name))
        elif isinstance(node, ast.ImportFrom) and _is_ours(node.module or "") and not node.level:
            for each in node.names:
                if f"{node.module}.{each.name}" in NAMES:
                    modules[each.asname or each.name] = f"{node.module}.{each.name}"
                elif each.name not in NAMES.get(node.module or "", ()):
                    yield f"{node.module}:{each.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            if module is not None and node.attr not in NAMES[module]:
                yield f"{module}:{node.attr}"


def page() -> str:
    """The reference, as it should be."""
    lines = [
        "# What plugins may use",
        "",
        f"Version {VERSION}. Written by `python -m atrium.api` from `core/api.py`; [changes]"
        "(api-changes.md), [the list for programs](api.json).",
        "",
        "A plugin imports `core` alone, and of it what stands here; a conformance check looks.",
        "Templates may use the shells and macros of [Build a page](../how-to/build-a-page.md).",
        "",
        "## How names come and go",
        "",
        "- What is added makes a new second number. Nothing here changes within a first number:",
        "  no name goes, no argument is added without a default, none changes its meaning.",
        "- What is to go is **deprecated** first: it says so in the changelog and warns by",
        "  `DeprecationWarning` wherever it is used, for two second numbers and six months at",
        "  least, and the warning names what to use instead. Then it goes with a new first number.",
        "- Extension points and places have versions of their own and keep the same rule.",
        "",
    ]
    for module in NAMES:
        lines += [f"## `{module}`", ""]
        for name, signature in described().items():
            if name.startswith(f"{module}:"):
                lines.append(f"- `{name.partition(':')[2]}{signature}`")
        lines.append("")
    return "\n".join(lines)


def _is_ours(module: str) -> bool:
    return module == "core" or module.startswith("core.")


def _members(name: str, thing: Any) -> dict[str, str]:
    if not inspect.isclass(thing):
        return {name: _signature(thing)}
    if issubclass(thing, Enum):  # what it is called with is Python's own affair
        return {name: "", **{f"{name}.{each}": "" for each in thing.__members__}}
    found = {name: _signature(thing)}
    for each, member in sorted(vars(thing).items()):
        if each.startswith("_"):
            continue
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if inspect.isfunction(plain):
            found[f"{name}.{each}"] = _signature(plain)
        elif isinstance(member, property):
            found[f"{name}.{each}"] = ""
    return found


class _AsWritten:
    """An annotation that is shown as it stands in the code."""

    def __init__(self, annotation: Any) -> None:
        self._text = getattr(annotation, "__forward_arg__", annotation)

    def __repr__(self) -> str:
        return str(self._text)


def _signature(thing: Any) -> str:
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):  # no function, or one that says nothing of itself
        return ""
    parameters = [
        each.replace(annotation=_shown(each.annotation)) for each in found.parameters.values()
    ]
    shown = found.replace(parameters=parameters, return_annotation=_shown(found.return_annotation))
    return _ADDRESS.sub("", str(shown))


def _shown(annotation: Any) -> Any:
    is_text = isinstance(annotation, str) or hasattr(annotation, "__forward_arg__")
    return _AsWritten(annotation) if is_text else annotation


def main() -> None:
    """Write both."""
    PAGE.write_text(page(), encoding="utf-8")
    LIST.write_text(json.dumps({"version": VERSION, "names": described()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
