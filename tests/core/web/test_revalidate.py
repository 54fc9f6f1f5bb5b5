"""Whoever has an answer already is not sent it again."""

from __future__ import annotations

import httpx
import pytest
from litestar import Response, get, post

from core.permissions import public
from tests.core.web.conftest import Served


@get("/thing", access=public)
async def thing() -> Response[dict[str, int]]:
    """A JSON read that sends a version."""
    return Response({"level": 7}, headers={"etag": '"7"', "cache-control": "no-cache"})


@get("/plain", access=public)
async def plain() -> dict[str, int]:
    """One that does not."""
    return {"level": 7}


@get("/gone", access=public, status_code=404)
async def gone() -> Response[str]:
    """An error, whatever it sends along."""
    return Response("gone", status_code=404, headers={"etag": '"7"'})


@post("/thing", access=public, status_code=200)
async def change() -> Response[str]:
    """A change, which is never "not modified"."""
    return Response("changed", headers={"etag": '"7"'})


@pytest.fixture
def served() -> Served:
    """The application with these."""
    return Served(thing, plain, gone, change)


@pytest.mark.parametrize("held", ['"7"', 'W/"7"', '"3", "7"', "*"])
async def test_the_same_is_not_sent_twice(browser_like: httpx.AsyncClient, held: str) -> None:
    """304 with the ETag and what caches need, and nothing of a body."""
    answer = await browser_like.get("/thing", headers={"if-none-match": held})
    assert (answer.status_code, answer.content) == (304, b"")
    assert (answer.headers["etag"], answer.headers["cache-control"]) == ('"7"', "no-cache")
    assert "content-length" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("held", ['"8"', "7", '"77"', ""])
async def test_another_version_is_sent(browser_like: httpx.AsyncClient, held: str) -> None:
    """200 with the body."""
    answer = await browser_like.get("/thing", headers={"if-none-match": held})
    assert (answer.status_code, answer.json()) == (200, {"level": 7})


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/plain", 200), ("GET", "/gone", 404),
                                   ("POST", "/thing", 200)]
)  # fmt: skip
async def test_nothing_else_is_not_modified(
    browser_like: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    """What has no ETag, errors and changes are answered as ever."""
    headers = {"if-none-match": "*", "sec-fetch-site": "same-origin"}
    answer = await browser_like.request(method, path, headers=headers)
    assert answer.status_code == status
    assert answer.content


async def test_the_brand_is_asked_for_again_cheaply(browser_like: httpx.AsyncClient) -> None:
    """The style sheet's own ETag is compared."""
    first = await browser_like.get("/brand.css")
    again = await browser_like.get("/brand.css", headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
