"""The installation itself: its databases, its plugins and its migrations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import ServerSentEvent, ServerSentEventMessage
from sqlalchemy.engine import make_url

from core.db import Databases, outside
from core.i18n import _, fill, locale, reading_in
from core.scope import Tenant
from core.web.http import AnyRequest, Session
from core.web.pages import Page
from tenants.operator.permissions import looking
from tenants.operator.routes import parts
from tenants.operator.services import databases, installed, migrations
from tenants.operator.services.migrations import Line

LOOK_EVERY: Final = 1.0
FOLLOW_FOR: Final = 300.0
"""Seconds; the browser then asks again."""
_LIVE: Final = f"{parts.HOME}/migrations"


class Installation(Controller):
    """``/operator/databases``, ``/operator/plugins`` and ``/operator/migrations``."""

    path = parts.HOME
    include_in_schema = False

    @get("/databases", access=looking)
    async def databases(self, request: AnyRequest, session: Session) -> Page:
        """Where tenants can live."""
        looked = await outside(session, lambda: databases.look(parts.roster(request)))
        name = make_url(parts.settings(request).database_url).database or ""
        context = {
            "rows": await databases.listed(session, name),
            "looked": {each.name: each for each in looked},
        }
        return Page("operator/databases.html", context)

    @get("/plugins", access=looking)
    async def plugins(self, request: AnyRequest, session: Session) -> Page:
        """What is installed, what works, and why the rest does not."""
        rows = await installed.plugins(session, parts.products(request))
        return Page("operator/plugins.html", {"rows": rows})

    @get("/migrations", access=looking)
    async def migrations(self, session: Session) -> Page:
        """Where every line stands, and what failed."""
        lines = await migrations.lines(session)
        context = {
            "lines": lines,
            "shown": _shown(lines),
            "failed": await migrations.failed(session),
        }
        return Page("operator/migrations.html", context)

    @get("/migrations/events", access=looking)
    async def migrations_live(
        self, request: AnyRequest, tenant: NamedDependency[Tenant]
    ) -> ServerSentEvent:
        """The same as a stream, while a run goes on; it holds no connection while it waits."""
        return ServerSentEvent(_told(parts.databases(request), tenant, locale()))


async def _told(
    engines: Databases, platform: Tenant, language: str
) -> AsyncIterator[ServerSentEventMessage]:
    """Where the lines stand, whenever it has changed; the page is shown anew after a run."""
    begun, before, was_running = time.monotonic(), None, False
    while time.monotonic() - begun < FOLLOW_FOR:
        async with engines.transaction(platform) as session:
            lines = await migrations.lines(session)
        running = any(line.state == "running" for line in lines)
        if lines != before:
            with reading_in(language):
                shown = msgspec.json.encode(_shown(lines)).decode()
            yield ServerSentEventMessage(data=shown, event="progress")
            before = lines
        if was_running and not running:
            again = msgspec.json.encode({"location": _LIVE}).decode()
            yield ServerSentEventMessage(data=again, event="done")
            return
        was_running = running
        await asyncio.sleep(LOOK_EVERY)


def _shown(lines: Sequence[Line]) -> dict[str, Any]:
    """As the progress bar shows it: the share of scopes that are at the newest revision."""
    newest = {line.line: line.target for line in reversed(lines)}
    arrived: dict[str, int] = dict.fromkeys(newest, 0)
    scopes: dict[str, int] = dict.fromkeys(newest, 0)
    states: dict[str, set[str]] = {name: set() for name in newest}
    for line in lines:
        scopes[line.line] += line.scopes
        states[line.line].add(line.state)
        if line.state == "current" and line.target == newest[line.line]:
            arrived[line.line] += line.scopes
    running = any("running" in each for each in states.values())
    total = sum(scopes.values())
    return {
        "percent": round(100 * sum(arrived.values()) / total) if total else 100,
        "message": str(_("A run goes on")) if running else str(_("No run goes on")),
        "steps": [
            {
                "title": str(
                    fill(
                        _("{line}: {arrived} of {scopes} at {revision}"),
                        line=name,
                        arrived=arrived[name],
                        scopes=scopes[name],
                        revision=newest[name],
                    )
                ),
                "state": _state(states[name], arrived[name] == scopes[name]),
            }
            for name in sorted(newest)
        ],
    }


def _state(states: set[str], all_arrived: bool) -> str:
    if "running" in states:
        return "running"
    if "failed" in states:
        return "failed"
    return "done" if all_arrived else "waiting"
