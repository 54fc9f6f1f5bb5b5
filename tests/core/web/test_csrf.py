"""Requests that change something come from our own pages, or are refused."""

from __future__ import annotations

import pytest

from core.web.csrf import SESSION_COOKIES, CrossSite, check

HOST = ("host", "porto.localhost:8400")
COOKIE = ("cookie", f"{SESSION_COOKIES[1]}=abc")


def scope(*headers: tuple[str, str], method: str = "POST", path: str = "/x") -> dict[str, object]:
    """An ASGI scope with these headers."""
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": "http", "method": method, "path": path, "headers": raw}


@pytest.mark.parametrize(
    "headers",
    [
        [HOST, COOKIE, ("sec-fetch-site", "same-origin")],
        [HOST, COOKIE, ("sec-fetch-site", "none")],
        [HOST, COOKIE, ("origin", "http://porto.localhost:8400")],
        [HOST, COOKIE, ("origin", "http://PORTO.localhost:8400")],
        [HOST, ("authorization", "Bearer abc"), ("sec-fetch-site", "cross-site")],
        [HOST],
    ],
)
def test_our_own_pages_and_programs_pass(headers: list[tuple[str, str]]) -> None:
    """Own pages, bearer tokens and callers without a session are let through."""
    check(scope(*headers))


@pytest.mark.parametrize(
    "headers",
    [
        [HOST, COOKIE, ("sec-fetch-site", "same-site"), ("origin", "http://evil.localhost:8400")],
        [HOST, COOKIE, ("sec-fetch-site", "cross-site")],
        [HOST, ("sec-fetch-site", "cross-site")],
        [HOST, COOKIE, ("origin", "http://evil.localhost:8400")],
        [HOST, COOKIE, ("origin", "http://porto.localhost")],
        [HOST, COOKIE, ("origin", "null")],
        [HOST, ("origin", "https://evil.example")],
        [HOST, COOKIE],
        [COOKIE, ("origin", "http://porto.localhost:8400")],
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_other_sites_are_refused(headers: list[tuple[str, str]], method: str) -> None:
    """Siblings, strangers, opaque origins, and sessions that do not say where they come from."""
    with pytest.raises(CrossSite):
        check(scope(*headers, method=method))


def test_reading_and_webhooks_are_free() -> None:
    """A link from anywhere may be followed; vendors sign instead."""
    check(scope(HOST, COOKIE, ("sec-fetch-site", "cross-site"), method="GET"))
    check(scope(HOST, ("sec-fetch-site", "cross-site"), path="/webhooks/stripe/x.y"))
