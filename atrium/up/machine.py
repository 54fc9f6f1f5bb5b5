"""Everything on one machine: the servers, then what sets them up, then the application."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import asyncpg

from atrium.cli import COMMANDS
from atrium.up.account import Account
from atrium.up.life import Say
from atrium.up.process import Command
from atrium.up.servers import (
    DURABLE,
    ROOT,
    PostgreSQL,
    Redis,
    postgresql_binaries,
    redis_binary,
)
from atrium.up.state import DATABASE, State, servers_folder
from atrium.up.supervisor import Supervisor
from atrium.up.watch import changes

SETUP: Final = ("bootstrap", "migrate", "seed")
SERVICES: Final = ("web", "worker", "relay", "scheduler")
_READY_WITHIN: Final = 60.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What runs, with the state and the port that it runs on."""

    state: State
    port: int
    supervisor: Supervisor
    say: Say

    async def start(self) -> None:
        """Start everything and wait until it can be used.

        Raises:
            RuntimeError: a step of setting up failed.
            TimeoutError: something does not get ready.
        """
        postgresql, redis = self._servers()
        await asyncio.gather(
            asyncio.to_thread(postgresql.prepare), asyncio.to_thread(redis.prepare)
        )
        self.supervisor.start([postgresql.command(DURABLE), redis.command(), *self._standins()])
        await asyncio.gather(postgresql.wait(), redis.wait())
        await self._set_up()
        self.supervisor.start(self._ours(name) for name in SERVICES if name in COMMANDS)
        await self._ready()

    async def reload(self) -> None:
        """Start our processes anew whenever their sources change, for ever.

        New revisions are applied first; one that fails is said, and what is there goes on.
        """
        while True:
            changed = await changes()
            names = ", ".join(sorted(each.name for each in changed)[:3])
            self.say("up", f"{names} changed; starting anew")
            if any("versions" in each.parts for each in changed):
                try:
                    await self.supervisor.run(self._ours("migrate", superuser=True))
                except RuntimeError as problem:
                    self.say("up", str(problem))
            self.supervisor.renew()

    @property
    def welcome(self) -> str:
        """What the seed left for people to know: the demo's addresses and sign-ins."""
        text = self.state.folder / "welcome"
        return text.read_text(encoding="utf-8") if text.exists() else ""

    def _servers(self) -> tuple[PostgreSQL, Redis]:
        account = Account.for_servers(ROOT)
        folder = servers_folder(self.state.folder, account)
        if account is not None:
            self.say("up", f"PostgreSQL runs as user {account.uid}, its files are in {folder}")
        return PostgreSQL(
            binaries=postgresql_binaries(),
            folder=folder,
            port=self.state.ports["postgresql"],
            password=self.state.secrets["postgres"],
            account=account,
        ), Redis(
            binary=redis_binary(),
            folder=self.state.folder / "redis",
            port=self.state.ports["redis"],
            password=self.state.secrets["redis"],
        )

    def _standins(self) -> Iterator[Command]:
        if (ROOT / "standin/stripe/__main__.py").exists():
            port, folder = self.state.ports["stripe"], self.state.folder / "stripe"
            yield self._python(
                "stripe", "-m", "standin.stripe", "--port", str(port), "--state-dir", str(folder)
            )

    async def _set_up(self) -> None:
        """Bootstrap, migrate and seed, unless that was done with the very code there is now."""
        stamp = self.state.folder / "set-up"
        code = await asyncio.to_thread(fingerprint)
        is_new = await self._create_database()
        if not is_new and stamp.exists() and stamp.read_text() == code:
            return
        for step in SETUP:
            self.say("up", f"{step} ...")
            await self.supervisor.run(self._ours(step, superuser=True))
        stamp.write_text(code)

    async def _create_database(self) -> bool:
        """Whether the database did not exist."""
        connection = await asyncpg.connect(self.state.superuser_url("postgres"))
        try:
            known = await connection.fetchval(
                "SELECT 1 FROM pg_database WHERE datname = $1", DATABASE
            )
            if not known:
                await connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
        finally:
            await connection.close()
        return not known

    async def _ready(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while not await _answers_ready(self.port):
            if time.monotonic() > deadline:
                raise TimeoutError("the web server does not get ready; see .atrium/logs/")
            await asyncio.sleep(0.1)

    def _ours(self, name: str, *, superuser: bool = False) -> Command:
        secret = {"ATRIUM_SUPERUSER_URL": self.state.superuser_url()} if superuser else {}
        return self._python(name, "-m", "atrium", name, **secret)

    def _python(self, name: str, *arguments: str, **extra: str) -> Command:
        return Command(
            name=name,
            argv=(sys.executable, *arguments),
            environment=self.state.environment(self.port) | os.environ | extra,
            folder=ROOT,
        )


def fingerprint() -> str:
    """A digest that changes with every edit of a file that setting up may depend on."""
    digest = hashlib.sha256()
    for folder in ("alembic", "atrium", "core", "plugins", "tenants", "workers"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in {".py", ".sql", ".json"}:
                status = file.stat()
                digest.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


async def _answers_ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(5):
            status = await reader.readline()
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
    return b" 200" in status
