"""Routes that anybody may call, as often as their ``allowance`` says and no oftener."""

from __future__ import annotations

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from core import origin
from core.auth.authority import Authority
from core.throttle import Allowance

OPT: Final = "allowance"


async def within_allowance(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """A Litestar guard: count the request against its sender's line, after ``access_guard`` has
    found out what that is.

    Raises:
        TooManyRequests: with the seconds to wait.
    """
    allowance: Allowance | None = handler.opt.get(OPT)
    if allowance is None:
        return
    authority: Authority = connection.app.state["authority"]
    await authority.throttle.take(allowance, origin.line())
