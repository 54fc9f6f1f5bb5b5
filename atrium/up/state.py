"""What `make up` keeps in ``.atrium/``: its lock, secrets, ports, and the settings they make."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

from atrium.up.account import Account, folder_for
from atrium.up.process import free_port, is_free
from atrium.up.servers import ROOT

DATABASE: Final = "atrium"
_SECRETS: Final = ("postgres", "provisioner", "app", "relay", "redis")
_PORTS: Final = ("postgresql", "redis", "stripe")


class AlreadyRunning(Exception):
    """Another `make up` holds this checkout."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Held for as long as its file is open: by the supervisor, and by the guard after it."""

    file: IO[str]

    @classmethod
    def take(cls, folder: Path) -> Self:
        """Take the lock of ``folder``.

        Raises:
            AlreadyRunning: it is taken; the message says by whom.
        """
        file = (folder / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise AlreadyRunning(holder) from None
        lock = cls(file)
        lock.say("starting")
        return lock

    def say(self, text: str) -> None:
        """Leave a line for whoever finds the lock taken."""
        self.file.seek(0)
        self.file.truncate()
        self.file.write(f"process {os.getpid()}, {text}\n")
        self.file.flush()


def holder_is_alive(holder: str) -> bool:
    """Whether the process named in the text that a lock's holder left still exists."""
    number = holder.removeprefix("process ").partition(",")[0]
    if not number.isdecimal():
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@dataclass(frozen=True, slots=True)
class State:
    """One checkout's folder, with the secrets made on its first run and the ports in use."""

    folder: Path
    secrets: Mapping[str, str]
    ports: Mapping[str, int]

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read the state, making what is missing; a port taken meanwhile is replaced."""
        for name in ("logs", "files", "stripe"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        master_key = folder / "master.key"
        if not master_key.exists():
            write_private(master_key, base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
        return cls(folder, _secrets(folder / "secrets"), _ports(folder / "ports"))

    def superuser_url(self, database: str = DATABASE) -> str:
        """PostgreSQL's superuser, for setting up alone: no long-lived process is given it."""
        return self._login("postgres", "postgres", database)

    def environment(self, port: int) -> dict[str, str]:
        """The ``ATRIUM_*`` variables of every child; ours may be overridden by the caller's."""
        stripe = self.ports["stripe"]
        ours = {
            "DATABASE_URL": self._login("atrium_app", "app"),
            "PROVISIONER_URL": self._login("atrium_provisioner", "provisioner"),
            "RELAY_URL": self._login("atrium_relay", "relay"),
            "REDIS_URL": f"redis://:{self.secrets['redis']}@127.0.0.1:{self.ports['redis']}/0",
            "DEVELOPMENT": "true",
            "BASE_DOMAIN": "localhost",
            "PUBLIC_SCHEME": "http",
            "PUBLIC_PORT": str(port),
            "PORT": str(port),
            "MASTER_KEY_FILE": str(self.folder / "master.key"),
            "STATE_DIR": str(self.folder),
            "FILES_DIR": str(self.folder / "files"),
            "STRIPE_API_BASE": f"http://127.0.0.1:{stripe}",
            "STRIPE_JS_URL": f"http://localhost:{stripe}/js.stripe.com/v3/",
            "WEBHOOKS_MAY_REACH": "127.0.0.0/8, ::1",
            "LOG_FORMAT": "console",
        }
        return {f"ATRIUM_{name}": value for name, value in ours.items()}

    def _login(self, user: str, secret: str, database: str = DATABASE) -> str:
        port = self.ports["postgresql"]
        return f"postgresql://{user}:{self.secrets[secret]}@127.0.0.1:{port}/{database}"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)


def servers_folder(folder: Path, account: Account | None) -> Path:
    """Where PostgreSQL's files are: in the state's folder if ``account`` can reach it."""
    return folder_for(account, folder / "postgresql")


def remove(folder: Path) -> None:
    """Delete the state, and PostgreSQL's files if they lie elsewhere.

    Raises:
        AlreadyRunning: it is in use.
    """
    if not folder.exists():
        return
    with Lock.take(folder).file:
        shutil.rmtree(servers_folder(folder, Account.for_servers(ROOT)))
        shutil.rmtree(folder)


def _secrets(path: Path) -> dict[str, str]:
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = {name: secrets.token_hex(24) for name in _SECRETS if name not in known}
    if missing:
        write_private(path, json.dumps(known | missing, indent=2) + "\n")
    return known | missing


def _ports(path: Path) -> dict[str, int]:
    known: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    ports = {
        name: known[name] if name in known and is_free(known[name]) else free_port()
        for name in _PORTS
    }
    if ports != known:
        path.write_text(json.dumps(ports, indent=2) + "\n")
    return ports
