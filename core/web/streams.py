"""A stream of server-sent events ends when whoever reads it may no longer ask for it.

A request is asked who it is once, as it comes; a stream goes on for minutes or hours after that.
So whatever answers ``text/event-stream``, in core, the portal or a product, is watched from here:
every few seconds its request is led through edge and guard once more. When the session has ended,
the tenant rests or has lost the product or the host, or the permission is gone, the stream ends;
the browser asks again by itself, and is answered as anybody would be now. Looking is nothing that
its person does: a session that is idle ends with a stream open.

A stream costs little, but not nothing, and for hours: each tenant may have so many of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

import structlog
from litestar.connection import ASGIConnection
from litestar.types import HTTPScope, Message, Send
from litestar.types import Scope as AsgiScope

from core.auth import identity
from core.auth.guard import EVENT_STREAM, access_guard
from core.auth.identity import Identity
from core.db import Databases, is_away
from core.errors import DomainError
from core.scope import Tenant

LOOK_EVERY: Final = 2.0
"""Seconds between two looks; most find the identity in this process and ask no database."""
MEDIA_TYPE: Final = EVENT_STREAM.encode()
MOST_OF_A_TENANT: Final = 1000
"""Streams that one tenant may have open in this process; who comes then is asked to come later."""

_FULL: Final = (
    b'{"type":"about:blank","status":503,"title":"Too many pages are listening",'
    b'"detail":"Please try again in a minute."}'
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Open:
    """How many streams each tenant has open in this process."""

    _by_tenant: Counter[UUID] = field(default_factory=Counter)

    def begin(self, tenant_id: UUID) -> bool:
        """Count one more, or False if there are as many as may be."""
        if self._by_tenant[tenant_id] >= MOST_OF_A_TENANT:
            return False
        self._by_tenant[tenant_id] += 1
        return True

    def end(self, tenant_id: UUID) -> None:
        """Count one less."""
        self._by_tenant[tenant_id] -= 1
        if not self._by_tenant[tenant_id]:
            del self._by_tenant[tenant_id]


@dataclass(frozen=True, slots=True)
class Watch:
    """One request of ``tenant_id``, which may become a stream. ``led`` leads it through the edge
    again: the tenant as it is now, or None if the request would not get to the same place."""

    databases: Databases
    open: Open
    tenant_id: UUID
    scope: HTTPScope
    led: Callable[[], Awaitable[Tenant | None]]

    async def serve(self, app: Callable[[Send], Awaitable[None]], send: Send) -> None:
        """Have ``app`` answer, and end its answer if it is a stream that may not go on."""
        watching: asyncio.Task[None] | None = None
        limit = asyncio.timeout(None)
        is_full = False

        async def sending(message: Message) -> None:
            nonlocal watching, is_full
            if is_full:
                return
            if message["type"] == "http.response.start" and _is_stream(message):
                if not self.open.begin(self.tenant_id):
                    is_full = True
                    await _answer_full(send)
                    limit.reschedule(asyncio.get_running_loop().time())
                    return
                watching = asyncio.create_task(self._look(identity.current(), limit))
            await send(message)

        try:
            async with limit:
                await app(sending)
        except TimeoutError:
            if not limit.expired():
                raise
            if not is_full:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if watching is not None:
                watching.cancel()
                self.open.end(self.tenant_id)

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
            asked = cast(AsgiScope, {**self.scope, "state": state, "headers": self._looking()})
            connection = ASGIConnection[Any, Any, Any, Any](asked)
            await access_guard(connection, self.scope["route_handler"])
        found = identity.current()
        return (found and found.session_id) == (reader and reader.session_id)

    def _looking(self) -> list[tuple[bytes, bytes]]:
        """The headers of a request by which nobody does anything."""
        kept = [(name, value) for name, value in self.scope["headers"] if name != b"accept"]
        return [*kept, (b"accept", MEDIA_TYPE)]


def _is_stream(message: Any) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(MEDIA_TYPE)
        for name, value in message["headers"]
    )


async def _answer_full(send: Send) -> None:
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"retry-after", b"60"),
        (b"cache-control", b"no-store"),
        (b"content-length", str(len(_FULL)).encode()),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": _FULL, "more_body": False})
