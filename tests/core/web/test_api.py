"""JSON bodies, problems and the OpenAPI document."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest
from litestar import Litestar, get, post
from litestar.params import FromPath, JSONBody
from litestar.testing import AsyncTestClient

from core.auth.guard import DeclaredAccess
from core.i18n import _
from core.permissions import public
from core.web import openapi
from core.web.bodies import StructBodies
from core.web.forms import Form, amount, text
from core.web.problems import exception_handlers


class Price(Form):
    """What is sent."""

    name: Annotated[str, text(_("Name"), max=5)]
    amount: Annotated[Decimal, amount(_("Amount"))]
    note: Annotated[str, text(_("Note"))] | None = None


@post("/api/v1/prices", access=public, idempotent=True)
async def create(data: JSONBody[Price]) -> dict[str, str]:
    """Create a price."""
    return {"name": data.name, "amount": str(data.amount)}


@get("/api/v1/prices/{number:int}", access=public)
async def read(number: FromPath[int]) -> dict[str, int]:
    """Read a price."""
    return {"number": number}


@get("/page", access=public)
async def page() -> str:
    """A page, which is no part of the API."""
    return ""


@pytest.fixture
def app() -> Litestar:
    """The routes above."""
    return Litestar(
        [create, read, page, openapi.document],
        plugins=[DeclaredAccess(), StructBodies()],
        openapi_config=openapi.config("Prices"),
        exception_handlers=exception_handlers,
    )


async def test_a_right_body_is_read(app: Litestar) -> None:
    """A body that follows the Struct arrives as the Struct."""
    async with AsyncTestClient(app) as client:
        answer = await client.post("/api/v1/prices", json={"name": "Day", "amount": 12.5})
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"name": "Day", "amount": "12.5"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"name":"too long","amount":"1"}', {"name"}),
        (b'{"name":1,"amount":"x"}', {"name", "amount"}),
        (b'{"name":"a\\u0000","amount":"1"}', {"name"}),
        (b'{"name":"a\\ud800","amount":"1"}', None),
        (b'{"name":"a","amount":"NaN"}', {"amount"}),
        (b'{"name":"a","amount":"-1"}', {"amount"}),
        (b'{"name":"a","amount":"1.005"}', {"amount"}),
        (b'{"name":"a","amount":1e400}', None),
        (b'{"name":"a","amount":true}', {"amount"}),
        (b'{"name":"a","amount":"1","stranger":1}', {"stranger"}),
        (b'{"amount":"1"}', {"name"}),
        (b"[]", None),
        (b"{", None),
    ],
)
async def test_a_wrong_body_names_its_fields(
    app: Litestar, body: bytes, fields: set[str] | None
) -> None:
    """Every wrong field is named at once, as problem+json, and nothing reaches the route."""
    async with AsyncTestClient(app) as client:
        answer = await client.post(
            "/api/v1/prices", content=body, headers={"content-type": "application/json"}
        )
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["trace_id"]
    if fields is not None:
        assert {each["field"] for each in document["errors"]} == fields
        assert all(each["message"] for each in document["errors"])


async def test_other_formats_are_refused(app: Litestar) -> None:
    """A body that does not say it is JSON gets 415."""
    async with AsyncTestClient(app) as client:
        answer = await client.post(
            "/api/v1/prices", content=b"<a/>", headers={"content-type": "text/xml"}
        )
        nothing = await client.get("/api/v1/nothing")
        wrong_method = await client.put("/api/v1/prices")
        bad_path = await client.get("/api/v1/prices/99999999999999999999999999")
    assert answer.status_code == 415
    assert nothing.status_code == 404
    assert nothing.headers["content-type"] == "application/problem+json"
    assert wrong_method.status_code == 405
    assert bad_path.status_code in {200, 404, 422}


async def test_the_document_shows_the_api_alone(app: Litestar) -> None:
    """Pages are left out; keys, problems and the body's rules are in."""
    async with AsyncTestClient(app) as client:
        document: dict[str, Any] = (await client.get("/api/v1/openapi.json")).json()
    assert set(document["paths"]) == {"/api/v1/prices", "/api/v1/prices/{number}"}
    operation = document["paths"]["/api/v1/prices"]["post"]
    assert operation["parameters"][0]["name"] == "Idempotency-Key"
    assert "422" in operation["responses"]
    assert document["components"]["schemas"]["Price"]["properties"]["name"]["maxLength"] == 5
