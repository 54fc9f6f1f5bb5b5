"""PgBouncer, Debian's, in front of the run's PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from atrium.testing.servers import Postgres, scratch
from atrium.up.process import free_port

IGNORED = "search_path, idle_in_transaction_session_timeout"
"""What the documentation tells an operator to let it ignore."""


def binary() -> str:
    """Where it is; without it the test is skipped, or fails where nothing may be missing."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        missing = "there is no pgbouncer: apt-get install pgbouncer"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@dataclass(frozen=True, slots=True)
class PgBouncer:
    """A running one."""

    port: int

    def leads_to(self, dsn: str) -> str:
        """The address by which it leads to where ``dsn`` leads directly."""
        parts = urlsplit(dsn)
        login = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{login}@127.0.0.1:{self.port}").geturl()


@asynccontextmanager
async def pgbouncer(
    postgres: Postgres, mode: str, *, ignored: str = IGNORED
) -> AsyncIterator[PgBouncer]:
    """PgBouncer in pool mode ``mode``; passwords are looked up in PostgreSQL."""
    folder, port = scratch(), free_port()
    (folder / "users").write_text(f'"{postgres.user}" "{postgres.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={postgres.host} port={postgres.port}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = scram-sha-256\nauth_file = {folder}/users\nauth_user = {postgres.user}\n"
        "auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1\n"
        f"pool_mode = {mode}\n" + (f"ignore_startup_parameters = {ignored}\n" if ignored else "")
    )
    command = [binary(), str(folder / "pgbouncer.ini")]
    if os.getuid() == 0:  # which it refuses to run as
        _give(folder, "nobody")
        command[1:1] = ["-u", "nobody"]
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=log, stderr=asyncio.subprocess.STDOUT
        )
    try:
        await _answers(port)
        yield PgBouncer(port)
    finally:
        process.terminate()
        await process.wait()


def _give(folder: Path, user: str) -> None:
    for each in (folder, *folder.iterdir()):
        os.chown(each, pwd.getpwnam(user).pw_uid, -1)


async def _answers(port: int) -> None:
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError("pgbouncer does not answer; see its log")
