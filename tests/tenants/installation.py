"""An installation of its own, worked on by the real command in real processes."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from atrium.testing.servers import Postgres
from atrium.testing.world import settings_for
from core.settings import Settings
from tests.forked import FORKED
from tests.tenants.commanding import command

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    said: str


@dataclass(frozen=True, slots=True)
class Installation:
    """A main database and the demo's second one, as names on one server."""

    postgres: Postgres
    settings: Settings
    main: str

    @property
    def second(self) -> str:
        """The demo's second database."""
        return f"{self.main}_harbour"

    async def start(self, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
        """Start ``atrium …`` in a process of its own."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "atrium",
            *arguments,
            cwd=ROOT,
            env=self._environment() | variables,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def run(self, *arguments: str, **variables: str) -> Ended:
        """Run ``atrium …`` to its end."""
        environment = self._environment() | variables
        return await asyncio.to_thread(_ended, arguments, environment)

    async def ask(self, sql: str, *values: object, database: str = "") -> list[asyncpg.Record]:
        """What the administrator reads."""
        connection = await asyncpg.connect(self.postgres.dsn(database or self.main))
        try:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *values)
            return rows
        finally:
            await connection.close()

    def _environment(self) -> dict[str, str]:
        inherited = {
            # Without its bytecode the software takes seconds longer to start.
            name: value
            for name, value in os.environ.items()
            if name != "PYTHONDONTWRITEBYTECODE"
        }
        own = {"ATRIUM_SUPERUSER_URL": self.postgres.dsn(self.main)}
        return inherited | environment_of(self.settings) | own


def _ended(arguments: tuple[str, ...], environment: dict[str, str]) -> Ended:
    with tempfile.NamedTemporaryFile() as said:
        process = FORKED.Process(target=command, args=(arguments, environment, Path(said.name)))
        process.start()
        process.join()
        assert process.exitcode is not None
        return Ended(process.exitcode, said.read().decode())


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that make these settings in another process."""
    return {
        "ATRIUM_DATABASE_URL": settings.database_url,
        "ATRIUM_PROVISIONER_URL": settings.provisioner_url,
        "ATRIUM_RELAY_URL": settings.relay_url,
        "ATRIUM_REDIS_URL": settings.redis_url,
        "ATRIUM_MASTER_KEY_FILE": str(settings.master_key_file),
        "ATRIUM_STATE_DIR": str(settings.state_dir),
        "ATRIUM_DEVELOPMENT": "true",
        "ATRIUM_PUBLIC_SCHEME": "http",
    }


@asynccontextmanager
async def installation(postgres: Postgres, redis_url: str) -> AsyncIterator[Installation]:
    """An empty database, to be set up by commands."""
    main = await postgres.create_database("inst")
    made = Installation(postgres, settings_for(postgres, main, redis_url), main)
    yield made
    for name in (made.main, made.second):
        await postgres.drop_database(name)
