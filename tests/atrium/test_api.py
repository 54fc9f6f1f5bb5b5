"""What plugins may use does not change unannounced, and plugins use nothing else."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from atrium import api
from core.api import VERSION

ROOT = Path(__file__).parents[2]
OUTSIDE = [
    *(ROOT / "atrium/scaffold/files").rglob("*.py.tmpl"),
    *(ROOT / "tests/outside_plugin").rglob("*.py"),
]


def test_the_reference_is_up_to_date() -> None:
    """``python -m atrium.api`` writes it."""
    assert api.PAGE.read_text() == api.page(), "run python -m atrium.api"
    written = json.loads(api.LIST.read_text())
    assert written == {"version": VERSION, "names": api.described()}, "run python -m atrium.api"


def test_a_change_is_announced() -> None:
    """By an entry of the changelog with a version of its own and the digest of the list."""
    major, minor, digest = api.announced()[0]
    assert f"{major}.{minor}" == VERSION
    assert digest == api.digest(api.described()), (
        "what plugins may use has changed: take a new version in core/api.py, run"
        f" python -m atrium.api, and say in {api.CHANGES.name} what changed under"
        f" ## {VERSION} · `{api.digest(api.described())}`"
    )


def test_versions_only_grow() -> None:
    """Each by one in the second number, or to .0 of the next first number; none stands twice."""
    found = api.announced()
    for (major, minor, _), (earlier, before, _) in pairwise(found):
        assert (major, minor) in {(earlier, before + 1), (earlier + 1, 0)}
    assert len({digest for *_, digest in found}) == len(found)


@pytest.mark.parametrize("change", ["gone", "added", "another signature"])
def test_any_change_has_another_digest(change: str) -> None:
    names = api.described()
    before = api.digest(names)
    if change == "gone":
        names.pop("core.ids:new_id")
    elif change == "added":
        names["core.ids:another"] = "()"
    else:
        names["core.ids:new_id"] += "x"
    assert api.digest(names) != before


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from core.ids import new_id", []),
        ("from core import clock\nclock.now()", []),
        ("from core import clock\nclock.secret()", ["core.clock:secret"]),
        ("from core.ids import other", ["core.ids:other"]),
        ("from core.outbox import put", ["core.outbox:put"]),
        ("import core.db", ["core.db"]),
        ("from corelib import x", []),
    ],
)
def test_what_is_not_on_the_list_is_found(source: str, found: list[str]) -> None:
    assert list(api.strangers(source)) == found


def test_outsiders_use_the_list_alone() -> None:
    """The scaffold, the plugin from outside, and the tutorial."""
    tutorial = re.findall(r"```python\n(.*?)```", (ROOT / "docs/tutorial.md").read_text(), re.S)
    sources = [*(each.read_text() for each in OUTSIDE), *tutorial]
    assert len(sources) > 20
    assert [name for each in sources for name in api.strangers(each)] == []
