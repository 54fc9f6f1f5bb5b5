"""Somebody's open page, which hears what the stream under its bell says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from atrium.testing.site import Site
from atrium.testing.streams import Stream, reading
from core.auth.authority import LOCAL_COOKIE
from tests.core.notifications.people import Person

PATH = "/notifications/stream"


@dataclass(slots=True)
class Bell:
    """What came, as it comes."""

    stream: Stream
    _heard: int = 0

    async def next(self, within: float = 10.0) -> dict[str, Any]:
        """The next event, signs of life aside: ``event``, ``id`` and ``data``.

        Raises:
            TimeoutError: nothing came ``within`` so many seconds.
        """
        async with asyncio.timeout(within):
            while True:
                blocks = self.stream.text.split("\r\n\r\n")[:-1]
                if self._heard == len(blocks):
                    await asyncio.sleep(0.01)
                    continue
                lines = [line.partition(": ") for line in blocks[self._heard].splitlines()]
                self._heard += 1
                found = {name: value for name, _, value in lines if name}
                if "data" in found:
                    return {**found, "data": msgspec.json.decode(found["data"])}


async def signed_in(person: Person) -> httpx.AsyncClient:
    """Their browser."""
    async with person.at() as session:
        token = await person.site.sessions.begin(session, person.id)
    client = person.site.visitor(person.tenant)
    client.cookies.set(LOCAL_COOKIE, token)
    return client


@asynccontextmanager
async def listening(
    site: Site, client: httpx.AsyncClient, last: str | None = None
) -> AsyncIterator[Bell]:
    """A page of ``client``; ``last`` is the id that it heard last."""
    if last is not None:
        client.headers["last-event-id"] = last
    async with reading(site.edge, client, PATH) as stream:  # type: ignore[arg-type]  # an ASGI application
        assert stream.is_stream, stream.status
        yield Bell(stream)
