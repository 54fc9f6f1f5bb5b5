"""What benchmarks run on: throw-away servers, a world of tenants, web servers as in production."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path
from time import monotonic

from atrium.testing.servers import POSTGRES, REDIS, Postgres, Servers
from atrium.testing.world import World, world_of
from atrium.up.process import free_port
from core.scope import Tenant
from core.settings import Settings

ROOT = Path(__file__).parent.parent
STARTS_WITHIN = 60.0


@asynccontextmanager
async def stage() -> AsyncIterator[World]:
    """A world on servers of its own."""
    servers = Servers()
    await asyncio.to_thread(servers.start)
    try:
        postgres = Postgres.at(os.environ[POSTGRES])
        async with world_of(postgres, f"{os.environ[REDIS]}/0") as world:
            yield world
    finally:
        await asyncio.to_thread(servers.stop)


async def tenants(world: World, count: int) -> list[Tenant]:
    """``count`` pooled tenants, made four at a time."""
    free = asyncio.Semaphore(4)

    async def one() -> Tenant:
        async with free:
            return await world.provision()

    return list(await asyncio.gather(*(one() for _ in range(count))))


def environment(settings: Settings, **changes: str) -> dict[str, str]:
    """``settings`` as the variables that a process is started with."""
    given = {each.name: getattr(settings, each.name) for each in fields(settings)}
    said = {
        f"ATRIUM_{name.upper()}": str(value)
        for name, value in given.items()
        if value not in ("", None)
    }
    return {**os.environ, **said, **{f"ATRIUM_{k.upper()}": v for k, v in changes.items()}}


@asynccontextmanager
async def process(
    arguments: list[str], environment: Mapping[str, str], port: int | None = None
) -> AsyncIterator[None]:
    """A Python process, until it answers on ``port``; ended on leaving. Its log is thrown away."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env=dict(environment),
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        if port is not None:
            await _answers(port, running)
        yield
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


async def _answers(port: int, running: asyncio.subprocess.Process) -> None:
    deadline = monotonic() + STARTS_WITHIN
    while True:
        if running.returncode is not None or monotonic() > deadline:
            raise RuntimeError(f"the server on port {port} does not start")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return


@asynccontextmanager
async def atrium_web(world: World, **changes: str) -> AsyncIterator[int]:
    """Atrium's web server with one worker, as ``atrium web`` starts it; gives its port.

    It writes no access log: neither do the peers. ``changes`` are settings.
    """
    port = free_port()
    settings = environment(
        world.settings, port=str(port), public_port=str(port), access_log="false", **changes
    )
    async with process(["-m", "atrium", "web"], settings, port):
        yield port
