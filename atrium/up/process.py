"""What is started: a command line, whose it is, and how it is stopped."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atrium.up.account import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process to start in a group of its own."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    account: Account | None = None
    folder: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM

    @property
    def options(self) -> dict[str, Any]:
        """Keywords of ``subprocess.Popen`` and of asyncio's equivalent alike."""
        options: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "start_new_session": True,
            "cwd": self.folder,
            "env": self.environment,
        }
        if self.account is not None:
            options |= {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        return options


def run(command: Command, **keywords: Any) -> None:
    """Run ``command`` to its end.

    Raises:
        RuntimeError: it failed; the message holds what it said.
    """
    done = subprocess.run(  # noqa: S603  # the command lines are our own
        command.argv,
        **command.options,
        **keywords,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command.name} failed:\n{done.stdout}")


def free_port() -> int:
    """A TCP port of the loopback interface that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether nobody listens on ``port`` of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
