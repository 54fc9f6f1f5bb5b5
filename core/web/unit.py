"""One request, one transaction: begun by its first query, ended as its response starts.

A response of 400 or more undoes what the request did. A commit that fails replaces the
response, so nobody is told that something happened which did not.
"""

from __future__ import annotations

from typing import Final

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.identity import acting_as
from core.db import Databases, commit
from core.scope import Tenant, acting_for

log = structlog.get_logger(__name__)

_RETRY_AFTER: Final = b"2"
_FAILED_BODY: Final = (
    b'{"type":"about:blank","status":503,"title":"The service is briefly unavailable",'
    b'"detail":"Your change was not saved. Please try again in a moment."}'
)


async def serve(
    app: ASGIApp, databases: Databases, tenant: Tenant, scope: Scope, receive: Receive, send: Send
) -> None:
    """Serve one request of ``tenant`` by ``app``, in one session that is always closed."""
    session = databases.session(tenant)
    state = scope.setdefault("state", {})
    state["session"] = session
    state["tenant"] = tenant
    committed_send = _CommittingSend(session, send)
    with acting_for(tenant), acting_as(None):
        try:
            await app(scope, receive, committed_send)
        finally:
            await session.close()


class _CommittingSend:
    """Ends the transaction just before the first byte of the response leaves."""

    __slots__ = ("_failed", "_send", "_session")

    def __init__(self, session: AsyncSession, send: Send) -> None:
        self._session = session
        self._send = send
        self._failed = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif not self._failed:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        if message["type"] != "http.response.start":
            return
        if message["status"] >= 400:
            await self._session.rollback()
        else:
            try:
                await commit(self._session)
            except (DBAPIError, OSError) as problem:
                log.exception("request.commit_failed", error=type(problem).__name__)
                self._failed = True
                await _send_failure(self._send)
                return
        await self._send(message)


async def _send_failure(send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 503,
            "headers": [
                (b"content-type", b"application/problem+json"),
                (b"retry-after", _RETRY_AFTER),
                (b"cache-control", b"no-store"),
                (b"content-length", str(len(_FAILED_BODY)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": _FAILED_BODY, "more_body": False})
