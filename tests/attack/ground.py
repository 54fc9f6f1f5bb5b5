"""Servers that one test may restart, and a light load that notices."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from atrium.up.account import Account, folder_for
from atrium.up.process import Command, free_port
from atrium.up.servers import ROOT, THROW_AWAY, PostgreSQL, Redis, postgresql_binaries, redis_binary

Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


@dataclass(slots=True)
class Server:
    """A server that can be stopped and started again, with the same data."""

    command: Command
    wait: Callable[[], Awaitable[None]]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: ASYNC220  # as Servers does
                self.command.argv, **self.command.options, stdout=output, stderr=output
            )
        await self.wait()

    async def stop(self) -> None:
        """Shut it down at once, whoever is connected."""
        if self.process is not None:
            self.process.send_signal(self.command.stop_signal)
            await asyncio.to_thread(self.process.wait, 20)
            self.process = None


@dataclass(frozen=True, slots=True)
class Ground:
    """One PostgreSQL and one Redis of a test's own, by address and as servers."""

    postgres: Server
    redis: Server
    dsn: str
    redis_url: str

    @classmethod
    @asynccontextmanager
    async def prepare(cls) -> AsyncIterator[Ground]:
        """Both, running."""
        with tempfile.TemporaryDirectory(prefix="atrium-ground-") as name:
            base, account = Path(name), Account.for_servers(ROOT)
            await asyncio.to_thread(base.chmod, 0o711)
            postgres = PostgreSQL(
                binaries=postgresql_binaries(),
                folder=folder_for(account, base / "postgresql"),
                port=free_port(),
                password=secrets.token_hex(16),
                account=account,
            )
            redis = Redis(
                binary=redis_binary(),
                folder=base / "redis",
                port=free_port(),
                password=secrets.token_hex(16),
            )
            for each in (postgres, redis):
                await asyncio.to_thread(each.prepare)
            made = cls(
                Server(postgres.command(THROW_AWAY), postgres.wait, base / "postgresql.log"),
                Server(redis.command(), redis.wait, base / "redis.log"),
                postgres.dsn,
                redis.url(),
            )
            try:
                await made.postgres.start()
                await made.redis.start()
                yield made
            finally:
                await made.redis.stop()
                await made.postgres.stop()


@dataclass(slots=True)
class Load:
    """A few people who keep asking; what each was answered, and when."""

    asks: dict[str, Ask]
    answers: list[tuple[float, str, int]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def on(self, client: httpx.AsyncClient) -> AsyncIterator[None]:
        """Keep it up while within."""
        people = [asyncio.create_task(self._ask(client, name)) for name in self.asks]
        try:
            yield
        finally:
            for each in people:
                each.cancel()
            await asyncio.gather(*people, return_exceptions=True)

    async def _ask(self, client: httpx.AsyncClient, name: str) -> None:
        while True:
            try:
                answer = await self.asks[name](client)
            except httpx.HTTPError as problem:
                self.wrong.append(f"{name}: {problem!r}")
            else:
                self._note(name, answer)
            await asyncio.sleep(0.03)

    def _note(self, name: str, answer: httpx.Response) -> None:
        self.answers.append((time.monotonic(), name, answer.status_code))
        if answer.is_success:
            return
        if answer.status_code != 503 or not answer.headers.get("retry-after"):
            self.wrong.append(f"{name}: {answer.status_code} {answer.text[:200]}")

    def bad_after(self, moment: float) -> list[tuple[float, str, int]]:
        """What failed later than ``moment``."""
        return [
            (at - moment, n, code) for at, n, code in self.answers if at > moment and code > 399
        ]

    def counted(self, since: float, until: float) -> Counter[int]:
        """How often each status was answered in between."""
        return Counter(code for at, _, code in self.answers if since <= at <= until)
