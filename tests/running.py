"""The software as it runs: web server, worker and relay in processes of their own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Self

import httpx

from atrium.testing.servers import Postgres
from atrium.up.process import free_port
from tests.tenants.installation import Installation, installation

PROCESSES: Final = ("web", "worker", "relay")
READY_WITHIN: Final = 60.0


@asynccontextmanager
async def running(postgres: Postgres, redis_url: str, **given: str) -> AsyncIterator[int]:
    """An empty installation that runs, without demo tenants; gives the port of its portal.

    ``given`` are further ``ATRIUM_*`` variables of its processes.
    """
    async with installation(postgres, redis_url) as made:
        for step in ("bootstrap", "migrate"):
            ended = await made.run(step)
            assert ended.code == 0, ended.said
        port = free_port()
        variables = {"ATRIUM_PORT": str(port), "ATRIUM_PUBLIC_PORT": str(port), **given}
        children = [await _Child.start(made, name, variables) for name in PROCESSES]
        try:
            async with asyncio.timeout(READY_WITHIN):
                await asyncio.gather(*(child.ready() for child in children))
                await _answers(port)
            yield port
        finally:
            await asyncio.gather(*(child.stop() for child in children))


@dataclass(eq=False)
class _Child:
    """A process, what it said last, and whether it said that it works."""

    name: str
    process: asyncio.subprocess.Process
    works: asyncio.Event = field(default_factory=asyncio.Event)
    said: deque[str] = field(default_factory=lambda: deque(maxlen=100))
    reading: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, made: Installation, name: str, variables: dict[str, str]) -> Self:
        """Start ``atrium NAME``."""
        child = cls(name, await made.start(name, **variables))
        child.reading = asyncio.create_task(child._read())
        return child

    async def ready(self) -> None:
        """Wait until it works; the web server tells by answering."""
        if self.name != "web":
            await self.works.wait()
        assert self.process.returncode is None, "".join(self.said)

    async def stop(self) -> None:
        """End it."""
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.wait()
        assert self.reading is not None
        await self.reading

    async def _read(self) -> None:
        """Read what it says, lest it waits for a full pipe."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said.append(line.decode(errors="replace"))
            if f"{self.name}.ready".encode() in line:
                self.works.set()
        self.works.set()  # it has ended, and ``ready`` says with which words


async def _answers(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while True:
            with suppress(httpx.HTTPError):
                answer = await client.get("/health/ready", headers={"host": "localhost"})
                if answer.status_code == 200:
                    return
            await asyncio.sleep(0.1)
