"""Plugins agree with core and each other before anything is served; who does not is named."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from litestar import Controller, get
from sqlalchemy.ext.asyncio import AsyncSession

from core.agreement import House, agreed
from core.permissions import public
from core.plugin import Place, Plugin, Plugins, Slot
from core.web.forms.fields import password
from tenants.installed import HOUSE
from tests.core.test_plugin import declare


async def show(session: AsyncSession) -> dict[str, Any]:
    """Nothing much."""
    return {}


async def show_person(session: AsyncSession, person_id: int) -> dict[str, Any]:
    """Somebody, by a number."""
    return {}


def show_at_once(session: AsyncSession) -> dict[str, Any]:
    """Without waiting."""
    return {}


class Shelf(Controller):
    """Pages of core's own."""

    path = "/shelf"

    @get("/books", access=public)
    async def books(self) -> None:
        """Books."""

    @get("/api/v1/loans", access=public)
    async def loans(self) -> None:
        """Not what it seems: it lies below /shelf."""


class Ladders(Controller):
    """Settings of core's own."""

    path = "/settings/ladders"

    @get(access=public)
    async def listing(self) -> None:
        """Ladders."""


class Loans(Controller):
    """An API of core's own."""

    path = "/api/v1/loans"

    @get(access=public)
    async def listing(self) -> None:
        """Loans."""


house = House(
    parts=(
        declare(
            name="core",
            controllers=(Shelf, Loans, Ladders),
            places=(Place(name="hall", page="The hall", context={"person_id": str}),),
        ),
    ),
    paths=("/health/live",),
    names=frozenset({"platform"}),
)


def reasons(*plugins: Plugin) -> dict[str, str]:
    """Why plugins are passed over; the others work."""
    found = agreed(Plugins({each.name: each for each in plugins}), house)
    assert found.working.keys() | found.broken.keys() == {each.name for each in plugins}
    return dict(found.broken)


@pytest.mark.parametrize(
    "name", ["shelf", "loans", "ladders", "settings", "health", "api", "core", "platform"]
)
def test_a_name_that_core_uses_is_refused(name: str) -> None:
    """Whether as a page, below the API or the settings, at the edge, or as the name of a part."""
    other = declare(name="books")
    broken = reasons(declare(name=name), other)
    assert list(broken) == [name]
    assert name in broken[name]


@pytest.mark.parametrize(
    "name",
    ["settings", "account", "static", "enter", "sign_in", "sign_up", "sign_out", "invitation",
     "health", "webhooks", "dev", "api", "sessions", "core", "platform", "portal", "tenants",
     "registration", "people", "audit", "payments"],
)  # fmt: skip
def test_names_of_this_house_are_reserved(name: str) -> None:
    """As core's routes are today; a route that is added tomorrow is reserved tomorrow."""
    found = agreed(Plugins({name: declare(name=name)}), HOUSE)
    assert list(found.broken) == [name]


def test_a_slot_that_nobody_offers_is_refused_by_name() -> None:
    """The reason names the slot, and those that there are."""
    slot = Slot(name="cellar", template="x.html", fill=show)
    broken = reasons(declare(slots=(slot,)))
    assert "'cellar', which nobody offers; there are: hall" in broken["sample"]


@pytest.mark.parametrize(
    ("fill", "complaint"),
    [
        (show, "cannot be called with (session, person_id)"),
        (show_person, "its argument person_id is a <class 'int'>, what it is given a str"),
        (show_at_once, "not an async function"),
    ],
)
def test_a_slot_of_another_signature_is_refused(fill: Any, complaint: str) -> None:
    """Before anybody sees a page that lacks it."""
    broken = reasons(declare(slots=(Slot(name="hall", template="x.html", fill=fill),)))
    assert complaint in broken["sample"]


def test_who_is_passed_over_offers_nothing() -> None:
    """A slot of a plugin that is refused is unknown too; the third plugin starts."""
    place = Place(name="shelf.top", page="Above")
    offering = declare(name="shelf", places=(place,))
    filling = declare(name="books", slots=(Slot(name="shelf.top", template="x.html", fill=show),))
    broken = reasons(offering, filling, declare(name="maps"))
    assert set(broken) == {"shelf", "books"}
    assert "nobody offers" in broken["books"]


def test_a_plugin_may_fill_the_place_of_another() -> None:
    """Whatever the order in which they were found."""
    place = Place(name="maps.legend", page="Beside the map")
    filling = declare(name="books", slots=(Slot(name="maps.legend", template="x", fill=show),))
    assert reasons(filling, declare(name="maps", places=(place,))) == {}


class Secretive(msgspec.Struct):
    """Settings with a secret in them."""

    api_key: Annotated[str, password("API key", new=False)] = "x"


def test_settings_hold_no_secrets() -> None:
    """They are kept with their history, for every admin to read."""
    found = agreed(Plugins({"tools": declare(name="tools", settings=Secretive)}), House())
    assert "api_key" in found.broken["tools"]
