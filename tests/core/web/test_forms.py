"""Forms: each field on its own, every error at once, what was typed kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, FieldError, Invalid
from core.i18n import _
from core.scope import acting_for
from core.web.forms import (
    Form,
    amount,
    bind,
    blank,
    choice,
    day,
    email,
    moment,
    password,
    text,
    tick,
    whole,
)
from core.web.forms.bind import bound
from tests.core.web.conftest import a_tenant


class Booking(Form):
    """A bit of everything."""

    name: Annotated[str, text(_("Name"), max=20)]
    mail: Annotated[str, email(_("E-mail"))]
    days: Annotated[int, whole(_("Days"), min=1, max=30)]
    price: Annotated[Decimal, amount(_("Price"))]
    size: Annotated[Literal["small", "van"], choice(_("Size"))]
    start: Annotated[datetime, moment(_("Start"))]
    born: Annotated[date, day(_("Born"), max=date(2008, 1, 1))] | None = None
    extras: list[str] = msgspec.field(default_factory=list)
    terms: Annotated[bool, tick(_("Terms"))] = False

    def check(self) -> Iterable[FieldError]:
        """Vans for at least two days."""
        if self.size == "van" and self.days < 2:
            yield FieldError("days", "A van goes for two days or more.")


GOOD = {
    "name": " Ana ",
    "mail": "ana@example.com",
    "days": "3",
    "price": "1 234,50",
    "size": "small",
    "start": "2026-07-01T10:00",
    "terms": "on",
}


def test_what_people_type_becomes_values() -> None:
    """Blanks are trimmed, commas are decimal, times are on the tenant's clock."""
    with acting_for(a_tenant(zone="Europe/Lisbon")):
        form = bind(Booking, GOOD)
    assert form.ok, form.errors
    assert form.value.name == "Ana"
    assert form.value.price == Decimal("1234.50")
    assert form.value.start == datetime(2026, 7, 1, 9, tzinfo=UTC)
    assert form.value.born is None
    assert form.value.terms


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("name", "", "fill this in"),
        ("name", "x" * 21, "at most 20 characters; these are 21"),
        ("name", "a\0b", "cannot be stored"),
        ("name", "a\ud800", "cannot be stored"),
        ("mail", "ana", "e-mail address"),
        ("days", "0", "1 or more"),
        ("days", "31", "30 or less"),
        ("days", "three", "whole number"),
        ("days", "1.5", "whole number"),
        ("days", "9" * 40, "30 or less"),
        ("price", "-1", "0 or more"),
        ("price", "NaN", "number"),
        ("price", "Infinity", "number"),
        ("price", "1e3000000", ""),
        ("price", "1.005", "2 decimal places"),
        ("size", "bus", "small, van"),
        ("start", "tomorrow", "date and a time"),
        ("start", "9999-01-01T00:00", "date and a time"),
        ("born", "2020-01-01", "between"),
        ("born", "2020-13-01", "such as 2026-03-31"),
        ("stranger", "x", "no field of this name"),
    ],
)
def test_a_wrong_field_says_what_to_do_and_keeps_the_text(key: str, value: str, says: str) -> None:
    """Exactly the wrong field is named, the others stay as typed."""
    typed = GOOD | {key: value}
    form = bind(Booking, typed)
    assert not form.ok
    assert [each.field for each in form.errors] == [key]
    assert says in str(form.errors[0].message)
    if key != "stranger":
        assert form.typed(key) == value
    assert form.typed("mail") == typed["mail"]
    with pytest.raises(Invalid):
        _ = form.value


def test_what_is_wrong_is_said_once() -> None:
    """Routes refuse with whatever was raised, be it by the form itself; services say more."""
    form = bind(Booking, GOOD | {"mail": "ana"})
    with pytest.raises(Invalid) as raised:
        _ = form.value
    said = list(form.errors)
    assert form.refuse(raised.value).errors == said
    assert len(form.refuse(Conflict(field="mail")).errors) == len(said) + 1


def test_all_errors_come_at_once() -> None:
    """An empty form names every field that is required."""
    form = bind(Booking, {})
    assert {each.field for each in form.errors} == {
        "name", "mail", "days", "price", "size", "start",
    }  # fmt: skip


def test_rules_between_fields_run_when_each_is_right() -> None:
    """``check`` speaks in the name of a field."""
    form = bind(Booking, GOOD | {"size": "van", "days": "1"})
    assert form.errors_of("days") == ["A van goes for two days or more."]


def test_a_service_may_refuse_too() -> None:
    """Its objection stands at the field it names, or above the form."""
    form = bind(Booking, GOOD)
    form.refuse(Conflict("Taken", field="start")).refuse(Conflict("Closed"))
    assert form.errors_of("start") == ["Taken"]
    assert [each.message for each in form.stray_errors] == ["Closed"]


def test_passwords_are_never_shown_again() -> None:
    """After an error a password has to be typed again."""

    class Secret(Form):
        word: Annotated[str, password(_("Password"), new=True)]

    form = bind(Secret, {"word": "short"})
    assert not form.ok
    assert form.typed("word") == ""


def test_the_browser_gets_the_same_rules() -> None:
    """Required, length and bounds are attributes of the field."""
    form = blank(Booking)
    assert form.spec("name").attributes() == {"required": True, "minlength": 1, "maxlength": 20}
    assert form.spec("days").attributes() == {"required": True, "min": 1, "max": 30}
    assert "required" not in form.spec("born").attributes()


def test_absent_is_not_null_in_a_patch() -> None:
    """UNSET stays UNSET, null is null."""

    class Patch(Form):
        note: str | msgspec.UnsetType | None = msgspec.UNSET

    assert bound(Patch, {}).value.note is msgspec.UNSET
    assert bound(Patch, {"note": None}).value.note is None


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "stranger"]), st.text(max_size=40) | st.lists(st.text(max_size=5))
    )
)
def test_no_text_whatsoever_breaks_a_form(data: dict[str, object]) -> None:
    """Whatever is sent, the answer is a form: right, or with errors."""
    form = bind(Booking, data)
    assert form.ok or form.errors


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "stranger"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    )
)
def test_no_json_whatsoever_breaks_a_body(data: dict[str, object]) -> None:
    """The same holds for programs."""
    form = bound(Booking, data)
    assert form.ok or form.errors
