"""One throw-away PostgreSQL and one Redis for a whole run of the tests."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import asyncpg

from atrium.up.account import Account, folder_for
from atrium.up.guard import Guard
from atrium.up.process import Command, free_port
from atrium.up.servers import (
    ROOT,
    THROW_AWAY,
    PostgreSQL,
    Redis,
    postgresql_binaries,
    redis_binary,
)
from tenants.bootstrap import Passwords

POSTGRES = "ATRIUM_TEST_POSTGRES"
"""The superuser's ``postgresql://`` address of a running server, to use instead of our own."""
REDIS = "ATRIUM_TEST_REDIS"
"""The ``redis://`` address, without a database, of a running server to use instead."""
SCRATCH = "ATRIUM_TEST_SCRATCH"
"""The run's folder for what tests leave behind; it is removed when the run has ended."""
VERSION = "ATRIUM_TEST_PG"
"""The major version of a Debian PostgreSQL to run on, instead of npm's."""

PASSWORDS: Final = Passwords(provisioner="provisioner", app="app", relay="relay")
"""Roles belong to the server, which parallel tests share: all of them use these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A server, as its superuser sees it."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)

    @classmethod
    def at(cls, address: str) -> Self:
        """The server at a ``postgresql://`` address."""
        parts = urlsplit(address)
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 5432,
            user=parts.username or "postgres",
            password=parts.password or "",
        )

    def dsn(self, database: str = "postgres", *, user: str = "", password: str = "") -> str:
        """The address of ``database`` for the superuser, or for another login."""
        login = f"{user or self.user}:{password or self.password}"
        return f"postgresql://{login}@{self.host}:{self.port}/{database}"

    async def execute(self, sql: str, database: str = "postgres") -> None:
        """Run statements as the superuser, outside a transaction if there is but one."""
        connection = await asyncpg.connect(self.dsn(database))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def create_database(self, prefix: str = "test") -> str:
        """Make an empty database and give its name; ``dsn(name)`` is its address."""
        name = f"{prefix}_{secrets.token_hex(6)}"
        await self.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return name

    async def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        await self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def scratch() -> Path:
    """A new folder, gone when the run has ended."""
    return Path(tempfile.mkdtemp(dir=os.environ.get(SCRATCH)))


class Servers:
    """The servers started for this run; ``stop`` ends them and removes all they wrote."""

    def __init__(self) -> None:
        self._guard = Guard()
        self._running: list[tuple[subprocess.Popen[bytes], Command]] = []

    def start(self) -> None:
        """Start what the environment does not name, and name it there for the workers."""
        os.environ[SCRATCH] = str(self._folder())
        try:
            if POSTGRES not in os.environ:
                os.environ[POSTGRES] = self._start_postgres()
            if REDIS not in os.environ:
                os.environ[REDIS] = self._start_redis()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything; the guard removes the folders."""
        for process, command in self._running:
            process.send_signal(command.stop_signal)
        for process, _ in self._running:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._guard.ended(process.pid)
        self._guard.close()

    def _start_postgres(self) -> str:
        account = Account.for_servers(ROOT)
        server = PostgreSQL(
            binaries=postgresql_binaries(os.environ.get(VERSION)),
            folder=folder_for(account, self._folder() / "postgresql"),
            port=free_port(),
            password=secrets.token_hex(16),
            account=account,
        )
        server.prepare()
        self._spawn(server.command(THROW_AWAY), server.folder)
        asyncio.run(server.wait())
        return server.dsn

    def _start_redis(self) -> str:
        server = Redis(
            binary=redis_binary(),
            folder=self._folder() / "redis",
            port=free_port(),
            password=secrets.token_hex(16),
        )
        server.prepare()
        self._spawn(server.command(), server.folder)
        asyncio.run(server.wait())
        return server.url().removesuffix("/0")

    def _folder(self) -> Path:
        """A folder that an ordinary user can reach: the machine's own for temporary files."""
        base = Path(tempfile.mkdtemp(prefix="atrium-test-"))
        base.chmod(0o711)
        self._guard.remove(base)
        return base

    def _spawn(self, command: Command, folder: Path) -> None:
        with (folder.parent / f"{command.name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # the command lines are our own
                command.argv, **command.options, stdout=log, stderr=subprocess.STDOUT
            )
        self._guard.started(process.pid, command.stop_signal)
        self._running.append((process, command))
