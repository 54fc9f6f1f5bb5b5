"""Every route of an application, as an intruder finds them: by reading its table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.response import ServerSentEvent
from litestar.routes import HTTPRoute

from core.ids import new_id
from core.permissions import Access
from core.web.edge import INTERNAL, INTERNAL_API
from core.web.idempotency import OPT

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
METHODS = ("GET", "HEAD", "OPTIONS", *UNSAFE)


class Unexercised(AssertionError):
    """A route that no generated attack reaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path; ``parameters`` are the types of the path's placeholders."""

    method: str
    path: str
    access: Access
    parameters: Mapping[str, type]
    is_once: bool = False
    """Whether it declares ``idempotent=True``."""
    creates: bool = False
    """Whether it answers that something was created."""
    streams: bool = False
    """Whether it answers server-sent events."""
    saves: bool = False
    """Whether it answers a file to be saved, such as a sheet: it declares another media type than
    a page or JSON."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_api(self) -> bool:
        """Whether programs call it."""
        return self.path.startswith("/api/")

    @property
    def is_unsafe(self) -> bool:
        """Whether it may change something."""
        return self.method in UNSAFE

    @property
    def names_rows(self) -> bool:
        """Whether its path holds an id."""
        return UUID in self.parameters.values()

    @property
    def is_operators(self) -> bool:
        """Whether it is the console's: operators look at every tenant, and nobody else knows it
        (tests/attack/test_operators.py attacks these)."""
        return self.access.seen_with is not None

    def below(self, prefix: str) -> bool:
        """Whether it belongs to the plugin with this prefix."""
        return bool(re.match(rf"(/api/v1)?(/settings)?/{re.escape(prefix)}(/|$)", self.path))

    def at(self, ids: Mapping[str, UUID | str] | None = None) -> str:
        """Its address; an id that ``ids`` lacks is one that nobody has.

        Raises:
            Unexercised: ``ids`` are somebody's rows, and none belongs to the placeholder.
        """
        path = self.path
        for name, kind in self.parameters.items():
            value = "1" if kind is int else "x"
            if kind is UUID:
                if ids is not None and name not in ids:
                    raise Unexercised(f"{self}: give tests/attack/loot.py a row for {{{name}}}")
                value = str(ids[name] if ids else new_id())
            elif kind is str and ids and name in ids:
                value = str(ids[name])
            path = path.replace(f"{{{name}}}", value)
        return path


def routes(app: Litestar) -> list[Route]:
    """Every route that can be asked for from outside, save files.

    Raises:
        Unexercised: a kind of route or placeholder that the attacks do not know.
    """
    return sorted(_routes(app), key=str)


def _routes(app: Litestar) -> Iterator[Route]:
    for route in app.routes:
        if route.path.startswith((INTERNAL, INTERNAL_API)) or route.path in {
            "/.atrium/schema",
            "/static/{path:path}",  # files: the same for everybody, tested in test_pages
        }:
            continue
        if not isinstance(route, HTTPRoute):
            raise Unexercised(f"{route.path} is no HTTP route: attack it here")
        parameters = {each.name: each.type for each in _placeholders(route)}
        if unknown := set(parameters.values()) - {UUID, str, int}:
            raise Unexercised(f"{route.path}: nobody knows what to put for {unknown}")
        for method, (handler, _) in route.route_handler_map.items():
            if method != "OPTIONS":  # Litestar's own, which says the methods
                yield Route(
                    method=method,
                    path=route.path_format,
                    access=handler.opt["access"],
                    parameters=parameters,
                    is_once=bool(handler.opt.get(OPT)),
                    creates=handler.status_code in {201, 202},
                    streams=_streams(handler),
                    saves=str(handler.media_type).startswith(_SAVED),
                )


_SAVED: Final = ("text/csv", "text/javascript", "application/pdf", "application/zip")


def _streams(handler: HTTPRouteHandler) -> bool:
    answers = handler.parsed_fn_signature.return_type.annotation
    is_events = isinstance(answers, type) and issubclass(answers, ServerSentEvent)
    return is_events or str(handler.media_type).startswith("text/event-stream")


def _placeholders(route: HTTPRoute) -> list[Any]:
    found = [each for each in route.path_components if not isinstance(each, str)]
    assert all(each.type is not Path for each in found), route.path
    return found
