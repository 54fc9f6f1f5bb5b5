"""The tests that ``conformance`` makes; ``atrium.testing.fixtures`` fills in their checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, TypeVar
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

Rows = Callable[[AsyncSession], Awaitable[Mapping[str, UUID]]]
"""Makes rows, and gives their ids by the names that placeholders of paths bear."""

Given = TypeVar("Given")


class Conformance:
    """The checks of one plugin, each a test of its own; make one by ``conformance``."""

    plugin: ClassVar[str]
    rows: ClassVar[Rows | None]

    def test_declaration(self, check: Callable[[], None]) -> None:
        """What can be seen without any server."""
        check()

    @pytest.mark.asyncio(loop_scope="session")
    async def test_at_work(self, check: Callable[[Given], Awaitable[None]], trial: Given) -> None:
        """What shows when tenants and people use it."""
        await check(trial)

    @pytest.mark.browser
    @pytest.mark.asyncio(loop_scope="session")
    async def test_pages(self, check: Callable[[Given], Awaitable[None]], tour: Given) -> None:
        """What shows in a browser."""
        await check(tour)


def conformance(plugin: str, *, rows: Rows | None = None) -> type[Conformance]:
    """Tests that the installed plugin of this name does all that Atrium expects of one.

    Pages whose path holds an id are visited with those that ``rows`` gives, in a tenant that has
    the plugin's demo data.
    """
    own = {"plugin": plugin, "rows": staticmethod(rows) if rows else None}
    return type("Conformance", (Conformance,), own)
