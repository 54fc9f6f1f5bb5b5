"""Whether a flag is on, and on whose word."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from core import flags, scope
from core.clock import now
from core.flags import Flag, UnknownFlag, resolution
from core.flags.resolution import place_of, standing
from core.ids import new_id
from core.plugin import NavItem, Plugin, PluginContradiction, Plugins
from core.scope import Database, FlagWords, Scope, Tenant, scope_name
from core.web.navigation import links
from core.web.templating import environment

KEY = "sample.thing"


def flag(**changes: Any) -> Flag:
    """A flag that owners may switch, off as declared."""
    usual = {"key": KEY, "title": "Thing", "hint": "A thing", "sunset": date(2199, 1, 1)}
    return Flag(**(usual | {"switched_by": "owner"} | changes))


def tenant(**said: Any) -> Tenant:
    """A tenant with the product, of whom that was said."""
    own = new_id()
    place = Scope(Database("main", ""), scope_name(own))
    words = {KEY: FlagWords(**said)} if said else {}
    return Tenant(
        id=own, slug="x", name="X", scope=place, plugins=frozenset({"sample"}), flags=words
    )


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Flag:
    """The one flag that there is."""
    made = flag()
    monkeypatch.setattr(resolution, "_declared", {KEY: made})
    return made


@pytest.mark.parametrize(
    ("said", "on", "why"),
    [
        ({}, False, "default"),
        ({"percent": 100}, True, "roll_out"),
        ({"percent": 0}, False, "roll_out"),
        ({"percent": 100, "choice": False}, False, "choice"),
        ({"percent": 0, "choice": True}, True, "choice"),
        ({"percent": 0, "choice": False, "override": True}, True, "override"),
        ({"percent": 100, "choice": True, "override": False}, False, "override"),
        ({"override": True, "until": now() + timedelta(days=1)}, True, "override"),
        ({"override": True, "until": now() - timedelta(seconds=1)}, False, "default"),
        ({"override": False, "choice": True, "until": now() - timedelta(1)}, True, "choice"),
    ],
)
def test_the_nearer_word_counts(said: dict[str, Any], on: bool, why: str) -> None:
    """Operator, as long as it lasts; owner; roll-out; what is declared."""
    found = standing(tenant(**said), flag())
    assert (found.on, found.why) == (on, why)


def test_owners_do_not_switch_what_is_the_operators() -> None:
    """Also not by what they chose while they still could."""
    assert not standing(tenant(choice=True), flag(switched_by="operator")).on


def test_a_flag_of_a_product_that_is_off_is_off() -> None:
    """Whatever was said of it; a flag of core is nobody's to lack."""
    without = replace(tenant(override=True), plugins=frozenset())
    assert standing(without, flag(default=True)).why == "product_off"
    assert standing(without, flag(key="core.thing", default=True)).on


def test_a_roll_out_only_grows() -> None:
    """Each step keeps those of the step before, and reaches the share that it says."""
    everybody = [tenant(percent=0) for _ in range(2000)]
    before: set[Any] = set()
    for percent in (1, 10, 30, 50, 90, 100):
        words = {KEY: FlagWords(percent=percent)}
        having = {each.id for each in everybody if standing(replace(each, flags=words), flag()).on}
        assert before <= having
        assert abs(len(having) / 2000 * 100 - percent) < 5
        before = having


def test_a_tenant_keeps_its_place_and_has_another_for_each_flag() -> None:
    """A hash that differed between processes or releases would switch features on and off."""
    own = scope.TENANT_ZERO
    assert place_of(own, KEY) == pytest.approx(place_of(own, KEY))
    assert round(place_of(own, KEY), 4) == PLACE
    assert place_of(own, KEY) != place_of(own, "sample.other")


PLACE = 68.0664
"""By which a change of the hash is noticed."""


def test_an_unknown_key_is_an_error(declared: Flag) -> None:
    """A misspelt flag must not be off for ever and silently."""
    with pytest.raises(UnknownFlag, match=r"sample\.thign"):
        flags.on(tenant(), "sample.thign")


def test_templates_and_menus_ask_for_the_tenant_that_is_served(declared: Flag) -> None:
    """``flag(key)``, and entries that stand behind a flag."""
    template = environment([]).from_string("{{ 'yes' if flag('sample.thing') else 'no' }}")
    entry = NavItem(title="Thing", path="/sample", icon="box", flag=KEY)
    part = sample(flags=(declared,), navigation=(entry,))
    for served, said in ((tenant(override=True), "yes"), (tenant(), "no")):
        with scope.acting_for(served):
            assert template.render() == said
            shown = links(Plugins({"sample": part}), None, "/")
            assert bool(shown.get("desk")) == (said == "yes")


def sample(**fields: Any) -> Plugin:
    """A plugin that declares ``fields``."""
    usual = {"name": "sample", "title": "Sample", "summary": "A sample", "version": "1"}
    return Plugin(**(usual | {"core_versions": ">=0.1", "package": "tests.core"} | fields))


def test_a_flag_that_nobody_declares_is_refused_where_it_is_used() -> None:
    """And one that is somebody else's where it is declared."""
    with pytest.raises(PluginContradiction, match="not declared"):
        sample(navigation=(NavItem(title="T", path="/sample", icon="box", flag=KEY),))
    with pytest.raises(PluginContradiction, match="must begin with"):
        sample(flags=(flag(key="other.thing"),))
    with pytest.raises(PluginContradiction, match="twice"):
        sample(flags=(flag(), flag()))
