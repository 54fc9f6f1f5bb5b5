"""A program of a business's own: it keeps what it is sent and answers as it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Receiver:
    """Listens at ``port``; ``answers`` are given one by one, the last for ever."""

    port: int = 0
    answers: list[str] = field(default_factory=lambda: ["200 OK"])
    heard: list[tuple[dict[str, str], str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/hook?of=us"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What was said, each time."""
        return [json.loads(body) for _, body in self.heard]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
        headers = {name.lower(): value for name, value in lines}
        body = await reader.readexactly(int(headers["content-length"]))
        self.heard.append((headers, body.decode()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        writer.write(f"HTTP/1.1 {answer}\r\nconnection: close\r\n\r\nheard you".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving(*answers: str) -> AsyncIterator[Receiver]:
    """A receiver that runs."""
    made = Receiver(answers=list(answers) or ["200 OK"])
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
