"""Paths that exist for those alone who may see them.

A wrong method is answered while the route is looked for, before anybody was asked who they are,
and OPTIONS names the methods there are. Both would tell a stranger that a path exists; so at these
paths both are answered, to everybody, as at a path that does not exist.
"""

from __future__ import annotations

import re
from typing import Final

from litestar import Litestar
from litestar.routes import HTTPRoute

from core.permissions import Access

_KEPT: Final = "hidden_paths"
_PLACEHOLDER: Final = re.compile(r"\\\{[^/]*\\\}")


def is_hidden(app: Litestar, path: str) -> bool:
    """Whether ``path`` is one of a route that declares who may see it."""
    if _KEPT not in app.state:
        app.state[_KEPT] = _paths(app)
    pattern: re.Pattern[str] = app.state[_KEPT]
    return pattern.fullmatch(path.rstrip("/") or "/") is not None


def _paths(app: Litestar) -> re.Pattern[str]:
    written = [
        _PLACEHOLDER.sub("[^/]+", re.escape(route.path_format.rstrip("/") or "/"))
        for route in app.routes
        if isinstance(route, HTTPRoute) and _hides(route)
    ]
    return re.compile("|".join(written) or r"(?!)")


def _hides(route: HTTPRoute) -> bool:
    declared = [each.opt.get("access") for each in route.route_handlers]
    return any(isinstance(each, Access) and each.seen_with is not None for each in declared)
