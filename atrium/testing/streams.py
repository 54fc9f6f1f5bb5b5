"""A reader of server-sent events who, unlike httpx in this process, reads while they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
from litestar.types import ASGIApp


@dataclass(slots=True)
class Stream:
    """What an answer has brought so far."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once something was said."""

    @property
    def is_stream(self) -> bool:
        """Whether it is one that was let in."""
        kind = self.headers.get("content-type", "")
        return self.status == 200 and kind.startswith("text/event-stream")

    async def ends(self, within: float) -> bool:
        """Whether it ends by itself within so many seconds."""
        try:
            await asyncio.wait_for(self.over.wait(), within)
        except TimeoutError:
            return False
        return True

    async def _take(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            found = [(name.decode().lower(), value.decode()) for name, value in message["headers"]]
            self.headers = dict(found)
            self.begun.set()
        elif message["type"] == "http.response.body":
            self.text += message.get("body", b"").decode()
            if self.text:
                self.told.set()
            if not message.get("more_body", False):
                self.over.set()


@asynccontextmanager
async def reading(app: ASGIApp, client: httpx.AsyncClient, path: str) -> AsyncIterator[Stream]:
    """The answer to a GET of ``path`` with the headers and cookies of ``client``, while within.

    Raises:
        TimeoutError: it has not begun within ten seconds.
    """
    asked = client.build_request("GET", path)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": asked.url.scheme,
        "path": asked.url.path,
        "raw_path": asked.url.raw_path.split(b"?")[0],
        "query_string": asked.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in asked.headers.raw],
        "client": ("127.0.0.1", 123),
        "server": (asked.url.host, asked.url.port),
    }
    stream, left, sent = Stream(), asyncio.Event(), False

    async def receive() -> Any:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    serving = asyncio.ensure_future(app(cast(Any, scope), receive, stream._take))
    try:
        await asyncio.wait_for(stream.begun.wait(), 10)
        yield stream
    finally:
        left.set()
        await asyncio.wait([serving], timeout=10)
        assert serving.done(), f"{path} goes on although nobody reads it"
