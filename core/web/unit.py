"""One request, one transaction: begun by its first query, ended as its response starts.

A response of 400 or more undoes what the request did. A commit that fails replaces the
response, so nobody is told that something happened which did not.
"""

from __future__ import annotations

from typing import Any, Final

import structlog
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    HTTPResponseStartEvent,
    Message,
    Receive,
    Scope,
    Send,
    WebSocketReceiveMessage,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth.identity import acting_as
from core.db import Databases, close, commit, is_away, lost_its_transaction
from core.scope import Tenant, acting_for

log = structlog.get_logger(__name__)

_SAFE: Final = frozenset({"GET", "HEAD"})
_LOST: Final = "transaction_lost"
_RETRY_AFTER: Final = b"2"
_FAILED_BODY: Final = (
    b'{"type":"about:blank","status":503,"title":"The service is briefly unavailable",'
    b'"detail":"Your change was not saved. Please try again in a moment."}'
)


async def serve(
    app: ASGIApp, databases: Databases, tenant: Tenant, scope: Scope, receive: Receive, send: Send
) -> None:
    """Serve one request of ``tenant`` by ``app``, in one session that is always closed.

    A safe request that lost its transaction through no fault of its own is served once more.
    """
    if scope.get("method") in _SAFE:
        untouched: Any = {**scope, "state": dict(scope.get("state") or {})}
        if await _attempt(app, databases, tenant, scope, receive, send, may_fail=True):
            return
        log.info("request.again")
        scope, receive = untouched, _Bodiless(receive)
    await _attempt(app, databases, tenant, scope, receive, send, may_fail=False)


async def _attempt(
    app: ASGIApp,
    databases: Databases,
    tenant: Tenant,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    may_fail: bool,
) -> bool:
    """Serve the request; False if it ``may_fail`` and did, and nothing was answered yet."""
    session = databases.session(tenant)
    state = scope.setdefault("state", {})
    state["session"] = session
    state["tenant"] = tenant
    committed_send = _CommittingSend(session, send, state, may_fail=may_fail)
    with acting_for(tenant), acting_as(None):
        try:
            await app(scope, receive, committed_send)
        finally:
            await close(session)
    return not committed_send.withheld


def note(scope: Scope, error: Exception) -> None:
    """Remember that ``error`` is about to be answered, if another attempt may do better."""
    if lost_its_transaction(error):
        scope["state"][_LOST] = True


class _Bodiless:
    """Receives for a second attempt: the first may have taken the empty body already."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._given = False

    async def __call__(self) -> HTTPReceiveMessage | WebSocketReceiveMessage:
        if self._given:
            return await self._receive()
        self._given = True
        return {"type": "http.request", "body": b"", "more_body": False}


class _CommittingSend:
    """Ends the transaction just before the first byte of the response leaves."""

    __slots__ = ("_may_fail", "_over", "_send", "_session", "_state", "withheld")

    def __init__(
        self, session: AsyncSession, send: Send, state: dict[str, Any], *, may_fail: bool
    ) -> None:
        self._session = session
        self._send = send
        self._state = state
        self._may_fail = may_fail
        self._over = False
        self.withheld = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif not self._over and not self.withheld:
            await self._send(message)

    async def _start(self, message: HTTPResponseStartEvent) -> None:
        if message["status"] >= 400:
            self.withheld = self._may_fail and _LOST in self._state
            await self._undo()
        else:
            await self._commit()
        if not self._over and not self.withheld:
            await self._send(message)

    async def _undo(self) -> None:
        try:
            await self._session.rollback()
        except Exception as problem:
            if not is_away(problem):
                raise
            await self._session.invalidate()  # it is undone all the same: by the server

    async def _commit(self) -> None:
        try:
            await commit(self._session)
        except Exception as problem:
            self.withheld = self._may_fail and lost_its_transaction(problem)
            if self.withheld:
                return
            if not isinstance(problem, DBAPIError) and not is_away(problem):
                raise
            log.exception("request.commit_failed", error=type(problem).__name__)
            self._over = True
            await _send_failure(self._send)


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
