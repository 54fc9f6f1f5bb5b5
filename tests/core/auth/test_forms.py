"""Signing in and up by the forms: what was typed stays, attempts are counted."""

from __future__ import annotations

import httpx
import pytest

from tests.core.auth.app import Neighbourhood, path_of
from tests.core.auth.conftest import PASSWORD, MakePerson
from tests.core.auth.pages import sign_in


async def test_a_wrong_password_keeps_what_was_typed_but_the_password(
    browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """The e-mail stays in its field, the password never comes back."""
    person = await make_person()
    answer = await sign_in(browser, person, password="wrong-and-visible")
    assert answer.status_code == 401
    assert person.email in answer.text
    assert "wrong-and-visible" not in answer.text
    assert "is not right" in answer.text
    assert "set-cookie" not in answer.headers


async def test_too_many_attempts_say_how_long_to_wait(
    browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """The ninth attempt gets 429 with Retry-After, and says so in the form."""
    person = await make_person()
    for _ in range(8):
        assert (await sign_in(browser, person, password="wrong")).status_code == 401
    answer = await sign_in(browser, person)
    assert answer.status_code == 429
    assert 800 < int(answer.headers["retry-after"]) <= 900
    assert "15 min" in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/ok\r\nset-cookie: a=b",
        "",
    ],
)
async def test_the_way_on_stays_on_this_host(
    target: str, browser: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """No address brings a person who signs in to somebody else's site."""
    answer = await sign_in(browser, await make_person(), next=target)
    if answer.status_code == 422:  # not even a text
        return
    assert (answer.status_code, path_of(answer)) == (303, "/")
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not-an-address"),
        ("email", "nul\0@example.com"),
        ("name", ""),
        ("name", "x" * 101),
        ("password", "short"),
        ("password", "password1234"),
        ("role", "owner"),
    ],
)
async def test_sign_up_refuses_by_field_and_loses_nothing(
    field: str, value: str, browser: httpx.AsyncClient
) -> None:
    """The error names the field; unknown fields, a role above all, are refused."""
    form = {"name": "Rita Lopes", "email": "rita@example.com", "password": PASSWORD}
    answer = await browser.post("/sign-up", data=form | {field: value})
    assert answer.status_code == 422
    if field != "name":
        assert "Rita Lopes" in answer.text
    if field != "role":
        assert f'id="{field}-error"' in answer.text
    assert "set-cookie" not in answer.headers


async def test_a_customer_signs_up_and_is_in(
    browser: httpx.AsyncClient, town: Neighbourhood
) -> None:
    """One form, and the account page shows who one is; the same e-mail again is refused."""
    form = {"name": "Rita <b>Lopes", "email": "Rita.New@example.com", "password": PASSWORD}
    answer = await browser.post("/sign-up", data=form)
    assert (answer.status_code, path_of(answer)) == (303, "/")
    page = await browser.get("/account")
    assert page.status_code == 200
    assert "rita.new@example.com" in page.text
    assert "Rita &lt;b&gt;Lopes" in page.text
    async with town.browser() as other:
        again = await other.post("/sign-up", data=form)
        assert again.status_code == 409
        assert 'id="email-error"' in again.text
