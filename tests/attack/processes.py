"""Web servers of their own for attacks that need real connections."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from atrium.up.process import free_port
from bench.stage import ROOT, environment
from core.settings import Settings

STARTS_WITHIN = 40.0


@dataclass(frozen=True, slots=True)
class Web:
    """A running ``atrium web``: where it listens, what it logs, and its process."""

    port: int
    log: Path
    process: asyncio.subprocess.Process

    @property
    def url(self) -> str:
        """Its address; the Host header says which tenant is meant."""
        return f"http://127.0.0.1:{self.port}"

    def errors(self) -> list[str]:
        """What it logged of failures that are its own."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line[:3000] for line in lines if '"level": "error"' in line]


@asynccontextmanager
async def web(settings: Settings, log: Path) -> AsyncIterator[Web]:
    """One web process with one worker, until the block ends."""
    port = free_port()
    said = environment(settings, port=str(port), public_port=str(port), log_format="json")
    with log.open("wb") as output:
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "atrium", "web", env=said, cwd=ROOT, stdout=output, stderr=output
        )
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            while not await _listens(port):
                assert running.returncode is None, f"see {log}"
                await asyncio.sleep(0.1)
        yield Web(port, log, running)
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
