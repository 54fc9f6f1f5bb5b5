"""Every page of the desk, from the table of routes: one that is added tomorrow is asked for too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine, event

from atrium.testing.routes import routes
from atrium.testing.site import Site

DESK: Final = "/car-hire/desk"

ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "/bookings": ("text=pereira", "text=AA-12", "status=confirmed", "status=closed"),
    "/calendar": ("days=31",),
    "/customers": ("text=pereira",),
    "/fleet": ("text=clio", "status=maintenance"),
}
"""What people ask of a page in its address, beside asking for the page as such."""


def desk_pages(site: Site, ids: Mapping[str, UUID]) -> Iterator[str]:
    """The address of every page that the desk can open, and of its usual searches.

    Raises:
        Unexercised: ``ids`` have no row for a placeholder.
    """
    for route in routes(site.edge.tenants):
        if route.method == "GET" and route.path.startswith(DESK) and not route.streams:
            if route.saves:
                continue
            yield route.at(ids)
            for query in ASKED.get(route.path.removeprefix(DESK), ()):
                yield f"{route.at(ids)}?{query}"


@dataclass(slots=True)
class Statements:
    """What was asked of PostgreSQL through SQLAlchemy."""

    texts: list[str] = field(default_factory=list)

    def take(self) -> list[str]:
        """What was asked since the last time."""
        taken, self.texts = self.texts, []
        return taken


@contextmanager
def statements() -> Iterator[Statements]:
    """Everything that is asked within, in this process."""
    made = Statements()

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        made.texts.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)
