"""``If-None-Match``: whoever still has an answer is told that it is good, in 304 and no body.

Said once here for every route that sends an ETag, so that a route need not compare anything
(RFC 9110, section 13.1.2).
"""

from __future__ import annotations

from typing import Final

from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from core.web.shell import header

_SAFE: Final = frozenset({"GET", "HEAD"})
_OF_THE_BODY: Final = frozenset({b"content-length", b"content-type", b"content-encoding"})
"""Headers that describe a body, of which a 304 has none."""


def revalidated(app: ASGIApp) -> ASGIApp:
    """Litestar middleware: answers 304 where the caller has the very same already."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        held = header(scope, b"if-none-match") if scope.get("method") in _SAFE else ""
        await app(scope, receive, _Revalidating(held, send) if held else send)

    return middleware


class _Revalidating:
    """Passes an answer on, without its body if ``held`` names its ETag."""

    def __init__(self, held: str, send: Send) -> None:
        self._held = held
        self._send = send
        self._unchanged = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._unchanged = message["status"] == 200 and _names(self._held, _etag(message))
            await self._send(_not_modified(message) if self._unchanged else message)
        elif message["type"] == "http.response.body" and self._unchanged:
            await self._send({**message, "body": b""})
        else:
            await self._send(message)


def _etag(message: HTTPResponseStartEvent) -> str:
    return next((v.decode("latin-1") for n, v in message["headers"] if n.lower() == b"etag"), "")


def _names(held: str, etag: str) -> bool:
    """Whether the list ``held`` has ``etag``; compared weakly, as reading again asks for."""
    if not etag:
        return False
    known = {each.strip().removeprefix("W/") for each in held.split(",")}
    return held.strip() == "*" or etag.removeprefix("W/") in known


def _not_modified(message: HTTPResponseStartEvent) -> HTTPResponseStartEvent:
    kept = [(n, v) for n, v in message["headers"] if n.lower() not in _OF_THE_BODY]
    return {**message, "status": 304, "headers": kept}
