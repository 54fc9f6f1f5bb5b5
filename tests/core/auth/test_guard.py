"""A route that does not say who may call it stops the start."""

from __future__ import annotations

import pytest
from litestar import Controller, Litestar, asgi, get
from litestar.types import Receive, Scope, Send

from core.auth.guard import DeclaredAccess, UndeclaredAccess, safe_next
from core.permissions import member, public


def app_of(*handlers: object) -> Litestar:
    """An application with these routes."""
    return Litestar(route_handlers=handlers, plugins=[DeclaredAccess()], openapi_config=None)  # type: ignore[arg-type]  # routes


@get("/open", access=public)
async def declared() -> str:
    """Says who."""
    return ""


@get("/forgotten")
async def forgotten() -> str:
    """Says nothing."""
    return ""


@get("/mistyped", access="public")
async def mistyped() -> str:
    """Says it in a way that nobody understands."""
    return ""


@asgi("/raw", copy_scope=True)
async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    """An application of its own."""


class Half(Controller):
    """One of its routes says who, the other does not."""

    path = "/half"

    @get("/one", access=member)
    async def one(self) -> str:
        """Says who."""
        return ""

    @get("/two")
    async def two(self) -> str:
        """Says nothing."""
        return ""


@pytest.mark.parametrize(
    ("route", "path"),
    [(forgotten, "/forgotten"), (mistyped, "/mistyped"), (raw, "/raw"), (Half, "/half/two")],
)
def test_the_application_does_not_start(route: object, path: str) -> None:
    """The message names the route and the remedy."""
    with pytest.raises(UndeclaredAccess, match=r"access=public") as refused:
        app_of(declared, route)
    assert path in str(refused.value.detail)


def test_with_every_access_declared_it_starts() -> None:
    """Litestar's own answers to OPTIONS need no declaration."""
    assert app_of(declared).route_handler_method_map


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("/desk?day=2026-01-01#now", "/desk?day=2026-01-01#now"),
        ("/a//b", "/a//b"),
        ("//b", "/"),
        ("///b", "/"),
        ("/\\b", "/"),
        ("/a\nb", "/"),
        ("https://b", "/"),
        ("http:/b", "/"),
        (None, "/"),
        ("/" + "a" * 3000, "/"),
    ],
)
def test_only_paths_of_this_host_are_safe(target: str | None, safe: str) -> None:
    """An address that a browser would read as another host is not followed."""
    assert safe_next(target) == safe
