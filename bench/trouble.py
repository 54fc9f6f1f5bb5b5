"""Trouble for a running installation: processes that are killed and started again, messages that
are delivered over and over, a mail server that stalls, a Stripe that loses answers."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path
from typing import Final

import asyncpg
import httpx

from bench.stage import ROOT
from core.outbox import Envelope
from workers.broker import make_broker, ring

STALLED: Final = 0.05
"""Of the connections to the mail server, so many are accepted and then left alone."""
MOST_DELIVERIES: Final = 10

_RECENT: Final = """
SELECT id, tenant, actor, trace, sends FROM outbox.messages
WHERE tenant = $1 AND due_at BETWEEN now() - interval '10 seconds' AND now()
"""


@dataclass(slots=True)
class Role:
    """A process of the installation that is killed now and then, and at once started again."""

    name: str
    environment: Mapping[str, str]
    log: Path
    kills: int = 0
    process: asyncio.subprocess.Process | None = None

    @property
    def arguments(self) -> str:
        """What ``atrium`` is told to be."""
        return self.name.rstrip("0123456789")

    async def start(self) -> None:
        """Start it, in a group of its own: what it starts is killed with it."""
        with self.log.open("wb") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "atrium", self.arguments, env=dict(self.environment),
                cwd=ROOT, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    async def works(self) -> bool:
        """Whether it has begun: the web server says so by answering."""
        if self.arguments != "web":
            return f"{self.name}.ready".encode() in self.log.read_bytes()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        writer.close()
        return True

    @property
    def _port(self) -> int:
        return int(self.environment["ATRIUM_PORT"])

    async def kill(self, number: int = signal.SIGKILL) -> None:
        """End it, by kill -9 unless another signal is named."""
        assert self.process is not None
        if self.process.returncode is None:
            os.killpg(self.process.pid, number)
        await self.process.wait()


async def kill_now_and_then(roles: list[Role], stripe: str, every: float) -> None:
    """Kill one that works every so many seconds; every other time while it waits for Stripe, which
    is right between the commit of what it wants and the commit of what came of it."""
    async with httpx.AsyncClient(base_url=f"{stripe}/_control", timeout=10) as control:
        while True:
            await asyncio.sleep(every * (0.5 + random.random()))
            role = random.choice(roles)
            if not all([await each.works() for each in roles]):
                continue
            if random.random() < 0.5:
                held = {"kind": "delay", "path": "/v1/payment_intents", "seconds": 0.8}
                await control.post("/faults", json=held)
                await asyncio.sleep(0.4)
            role.kills += 1
            await role.kill()
            await role.start()


async def lose_answers(stripe: str, every: float) -> None:
    """Have a request to Stripe fail every so many seconds: before or after it was done, by a
    broken connection, an error, or an answer that comes too late."""
    kinds = [
        {"kind": "drop_before"}, {"kind": "drop_after"}, {"kind": "error", "status": 500},
        {"kind": "delay", "seconds": 11.0},
    ]  # fmt: skip
    async with httpx.AsyncClient(base_url=f"{stripe}/_control", timeout=10) as control:
        while True:
            await asyncio.sleep(every * (0.5 + random.random()))
            fault = random.choice(kinds) | {"path": "/v1/payment_intents", "method": "POST"}
            await control.post("/faults", json=fault)


async def ring_again(connection: asyncpg.Connection, tenant: object, redis_url: str) -> None:
    """Deliver every message up to ten times."""
    broker = make_broker(redis_url)
    rung: set[object] = set()
    while True:
        await asyncio.sleep(1)
        recent = {row["id"]: row for row in await connection.fetch(_RECENT, tenant)}
        new = recent.keys() - rung
        rung = set(recent)
        for row in map(recent.__getitem__, new):
            for _ in range(random.randint(0, MOST_DELIVERIES - 1)):
                await asyncio.to_thread(ring, broker, "default", Envelope(*row), "")


@dataclass(slots=True)
class Letterbox:
    """A mail server that takes every letter, or nothing at all of some connections."""

    accepted: Counter[str] = field(default_factory=Counter)
    """How often it took each letter, by recipient and subject."""
    stalled: int = 0

    async def listen(self) -> asyncio.Server:
        """Listen on a free port of this machine."""
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):  # a killed worker says no good-bye
            await self._talk(reader, writer)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if random.random() < STALLED:
            self.stalled += 1
            await reader.read()  # until the other side gives up
            writer.close()
            return
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                self._keep(await reader.readuntil(b"\r\n.\r\n"))
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
            if word == b"QUIT":
                break
        writer.close()

    def _keep(self, raw: bytes) -> None:
        letter = message_from_bytes(raw)
        subject = str(make_header(decode_header(letter["subject"])))
        self.accepted[f"{letter['to']} {subject}"] += 1
