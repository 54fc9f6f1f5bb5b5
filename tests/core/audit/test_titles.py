"""The audit log speaks to people: every act and object has a title."""

from __future__ import annotations

from pathlib import Path

import core
import plugins
import tenants
from atrium.testing.checks.audited import untitled
from core.audit.titles import TITLES, titles_of
from core.i18n import LazyText
from tenants.operator.plugin import plugin as operator
from tenants.portal.plugin import plugin as portal

OURS = titles_of([operator, portal]) | TITLES
NAMES = {"core", "payments", "tenants", "portal", "operator"}
OBJECTS = {"user", "session", "plugin", "payment_account", "tenant", "job", "operator_token"}


def test_every_act_of_ours_has_a_title() -> None:
    """One that is written tomorrow must be given one; plugins have the same check in their kit."""
    for package in (core, tenants):
        (folder,) = package.__path__
        assert untitled(Path(folder), NAMES, OURS) == []
    assert set(OURS) >= OBJECTS


def test_the_check_finds_what_has_none(tmp_path: Path) -> None:
    """Said outright, kept in a constant, or handed on by a function of the module."""
    (tmp_path / "services.py").write_text(
        'ACT = "shop.sold"\n'
        "async def sell(session):\n"
        '    await audit.record(session, ACT, "shop.thing", 1)\n'
        '    await _note(session, "shop.noted" if session else "shop.left")\n'
        '    await other("shop.setting")\n'
    )
    found = untitled(tmp_path, {"shop"}, {"shop.thing"})
    assert found == ["shop.left", "shop.noted", "shop.sold"]


def test_titles_are_translated_and_none_is_left_over() -> None:
    """What nobody records any more is not titled; a title can be read in every language."""
    assert all(isinstance(each, LazyText) for each in OURS.values())
    written = _written()
    assert [each for each in OURS if "." in each and each not in written] == []


def _written() -> str:
    folders = [Path(path) for package in (core, tenants, plugins) for path in package.__path__]
    return "".join(
        each.read_text()
        for folder in folders
        for each in folder.rglob("*.py")
        if "titles" not in each.name
    )
