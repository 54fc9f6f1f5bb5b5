"""Addresses hold text: what PostgreSQL cannot keep is refused before a route may ask it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from core.errors import FieldError, Invalid, NotFound
from core.web.forms import messages


async def readable(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """A Litestar guard: no parameter in the address may hold a NUL.

    Raises:
        Invalid: naming the parameters that do.
        NotFound: the path does, and nothing can have such a name.
    """
    if "\0" in connection.scope["path"]:
        raise NotFound
    query: bytes = connection.scope["query_string"]
    if b"%00" not in query and b"\0" not in query:
        return
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    spoilt = dict.fromkeys(name for name, value in pairs if "\0" in name + value)
    if spoilt:
        raise Invalid(errors=[FieldError(name, messages.UNPRINTABLE) for name in spoilt])
