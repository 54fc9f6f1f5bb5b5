"""A vendor outside: counts what really happened, knows keys, and loses answers."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing


class Vendor:
    """Speaks one line each way: ``order KEY`` or ``ask KEY``; answers ``done`` or ``unknown``."""

    def __init__(self) -> None:
        self.delivered: Counter[str] = Counter()
        self.port = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Vendor]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            verb, _, key = (await reader.readline()).decode().strip().partition(" ")
            if verb == "order":
                self.delivered[key] += 1
            if verb == "ask" or random.random() < 0.6:  # else the answer to an order is lost
                writer.write(b"done\n" if self.delivered[key] else b"unknown\n")


async def call(port: int, verb: str, key: str) -> str:
    """What the vendor answers.

    Raises:
        ConnectionError: it did not, whatever it may have done.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with closing(writer):
        writer.write(f"{verb} {key}\n".encode())
        answer = await reader.readline()
    if not answer:
        raise ConnectionError("the answer was lost")
    return answer.decode().strip()
