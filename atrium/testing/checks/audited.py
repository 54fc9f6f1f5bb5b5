"""The audit log speaks to people: what a plugin writes into it must have a title."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Final

from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, alone

_CODE: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z0-9_]+")
_WRITERS: Final = re.compile(r"record|enter|_\w+")
"""``audit.record`` itself, and whatever hands an act on to it."""


def what_it_writes_into_the_audit_log_has_a_title(it: Candidate) -> Iterator[str]:
    """People read the log; ``Plugin.audit_titles`` says what its codes are called."""
    counted = {each.name for each in it.plugin.meters}  # which ``usage.record`` takes
    known = counted | it.plugin.audit_titles.keys()
    for code in untitled(it.plugin.folder, {it.plugin.name}, known):
        yield f"{code!r} has no title in audit_titles"


def untitled(folder: Path, names: set[str], titles: Container[str]) -> list[str]:
    """The codes ``NAME.something`` of these ``names`` that modules below ``folder`` hand to
    whatever writes the log, and that have no title."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        found.update(_codes(ast.parse(path.read_text(encoding="utf-8"))))
    return sorted(each for each in found if each.split(".")[0] in names and each not in titles)


def _codes(module: ast.Module) -> Iterator[str]:
    named = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    calls = (each for each in ast.walk(module) if isinstance(each, ast.Call))
    for call in calls:
        if not _WRITERS.fullmatch(_name_of(call)):
            continue
        for given in [*call.args, *(each.value for each in call.keywords)]:
            for node in ast.walk(given):
                value = named.get(node.id) if isinstance(node, ast.Name) else node
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield from _CODE.findall(value.value) if _is_code(value.value) else ()


def _is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None


def _name_of(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def checks(_it: Candidate) -> list[Check]:
    """The checks of this module."""
    return alone(what_it_writes_into_the_audit_log_has_a_title)
