"""A plugin is a declaration: contradictions are refused, a broken one is named and passed over."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import pytest
from litestar import Controller, get
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from core.events import Event
from core.jobs import Schedule, actor
from core.permissions import Permission, public
from core.plugin import Meter, Plugin, PluginContradiction, discover


@actor("sample.tidy")
async def tidy(session: AsyncSession) -> None:
    """Do nothing."""


class Happened(Event, frozen=True):
    """Something did."""

    name: ClassVar[str] = "sample.happened"


def declare(**fields: Any) -> Plugin:
    """A plugin that is right, but for ``fields``."""
    return Plugin(
        **{
            "name": "sample",
            "title": "Sample",
            "summary": "A sample",
            "version": "1.0",
            "core_versions": ">=0.1",
            "package": "tests.core",
            **fields,
        }
    )


class Undecided(Struct):
    """Settings that nobody has chosen yet."""

    greeting: str


@get("/elsewhere", access=public)
async def stray() -> None:
    """A page outside the plugin's own."""


class Stray(Controller):
    """Pages beside the plugin's own."""

    path = "/samples"


class Kept(Controller):
    """The plugin's API."""

    path = "/api/v1/sample/things"


good = declare(controllers=(Kept,))
stray_handler = declare(controllers=(stray,))
stray_controller = declare(controllers=(Kept, Stray))
not_a_plugin = "something else"
future = declare(core_versions=">=99")
elsewhere = declare(package="tests.tenants")


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "atrium.plugins")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"name": "Car-Hire"}, "lower_snake_case"),
        ({"core_versions": "about one"}, "not a version specifier"),
        ({"permissions": (Permission("other.desk", "Desk"),)}, "must begin with 'sample.'"),
        ({"meters": (Meter(name="hires", title="Hires", unit="1"),)}, "must begin with 'sample.'"),
        ({"permissions": (Permission("sample.a", "A"),) * 2}, "declared twice"),
        ({"schedules": (Schedule(actor=tidy, cron="0 3 * * *"),)}, "not listed in actors"),
        ({"settings": Undecided}, "each field of settings needs a default"),
        ({"listeners": {Happened: (tidy,)}}, "not listed in actors"),
    ],
)
def test_a_contradiction_is_refused_by_name(fields: dict[str, Any], complaint: str) -> None:
    """The message says which part of the declaration cannot be true."""
    with pytest.raises(PluginContradiction, match=complaint):
        declare(**fields)


def test_the_prefix_of_a_plugin_is_its_name_with_dashes() -> None:
    """``car_hire`` answers under ``/car-hire``."""
    assert declare(name="car_hire").prefix == "car-hire"


def test_broken_plugins_are_named_and_the_others_start() -> None:
    """An import error, a stranger's object, a wrong name and a future core are all survived."""
    found = discover(
        [
            entry("sample", f"{__name__}:good"),
            entry("missing", "no.such.module:plugin"),
            entry("stranger", f"{__name__}:not_a_plugin"),
            entry("renamed", f"{__name__}:good"),
            entry("future", f"{__name__}:future"),
        ]
    )
    assert list(found.working) == ["sample"]
    assert set(found.broken) == {"missing", "stranger", "renamed", "future"}
    assert "No module named 'no'" in found.broken["missing"]
    assert "is not a core.plugin.Plugin" in found.broken["stranger"]
    assert "its name 'sample'" in found.broken["renamed"]


def test_a_plugin_lies_where_its_entry_point_does() -> None:
    """Its migrations are found there without importing it."""
    found = discover([entry("sample", f"{__name__}:elsewhere")])
    assert "its package 'tests.tenants' is not that of its entry point" in found.broken["sample"]


@pytest.mark.parametrize("name", ["stray_handler", "stray_controller"])
def test_a_product_outside_its_gate_is_broken(name: str) -> None:
    """What does not lie below the prefix would be served to tenants without the product."""
    found = discover([entry("sample", f"{__name__}:{name}")])
    assert not found.working
    assert "outside /sample/" in found.broken["sample"]
