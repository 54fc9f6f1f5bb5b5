"""A stream of server-sent events ends when whoever reads it may no longer ask for it.

A request is asked who it is once, as it comes; a stream goes on for minutes or hours after that.
So whatever answers ``text/event-stream``, in core, the portal or a product, is watched from here:
every few seconds its request is led through edge and guard once more. When the session has ended,
the tenant rests or has lost the product or the host, or the permission is gone, the stream ends;
the browser asks again by itself, and is answered as anybody would be now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import structlog
from litestar.connection import ASGIConnection
from litestar.types import HTTPScope, Message, Send
from litestar.types import Scope as AsgiScope

from core.auth import identity
from core.auth.guard import access_guard
from core.auth.identity import Identity
from core.db import Databases, is_away
from core.errors import DomainError
from core.scope import Tenant

LOOK_EVERY: Final = 2.0
"""Seconds between two looks; most find the identity in this process and ask no database."""
MEDIA_TYPE: Final = b"text/event-stream"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Watch:
    """One request, which may become a stream. ``led`` leads it through the edge again: the tenant
    as it is now, or None if the request would not get to the same place any more."""

    databases: Databases
    scope: HTTPScope
    led: Callable[[], Awaitable[Tenant | None]]

    async def serve(self, app: Callable[[Send], Awaitable[None]], send: Send) -> None:
        """Have ``app`` answer, and end its answer if it is a stream that may not go on."""
        watching: asyncio.Task[None] | None = None
        limit = asyncio.timeout(None)

        async def sending(message: Message) -> None:
            nonlocal watching
            if message["type"] == "http.response.start" and _is_stream(message):
                watching = asyncio.create_task(self._look(identity.current(), limit))
            await send(message)

        try:
            async with limit:
                await app(sending)
        except TimeoutError:
            if not limit.expired():
                raise
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if watching is not None:
                watching.cancel()

    async def _look(self, reader: Identity | None, limit: asyncio.Timeout) -> None:
        while await self._may_go_on(reader):  # noqa: ASYNC110  # nobody tells of all that may end it
            await asyncio.sleep(LOOK_EVERY)
        limit.reschedule(asyncio.get_running_loop().time())

    async def _may_go_on(self, reader: Identity | None) -> bool:
        try:
            return await self._is_let_in(reader)
        except Exception as problem:
            # While the database is away nobody can sign out either, and nothing can be read.
            if is_away(problem):
                return True
            if not isinstance(problem, DomainError):
                log.exception("stream.not_watched")
            return False

    async def _is_let_in(self, reader: Identity | None) -> bool:
        """Whether the guard lets the same person in at the same route, asked now."""
        tenant = await self.led()
        if tenant is None:
            return False
        async with self.databases.transaction(tenant) as session:
            state = {**self.scope["state"], "session": session, "tenant": tenant}
            asked = cast(AsgiScope, {**self.scope, "state": state})
            connection = ASGIConnection[Any, Any, Any, Any](asked)
            await access_guard(connection, self.scope["route_handler"])
        found = identity.current()
        return (found and found.session_id) == (reader and reader.session_id)


def _is_stream(message: Any) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(MEDIA_TYPE)
        for name, value in message["headers"]
    )
