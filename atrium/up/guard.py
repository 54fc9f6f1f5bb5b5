"""A watchman that outlives its supervisor by a moment, and ends what that one left behind.

``kill -9`` gives a supervisor no chance to stop its children. So it keeps a pipe open to this
small process, which runs in a session of its own. When the pipe closes, however that came
about, the watchman ends every process group that was reported as started and not yet as
ended: first kindly, then not. It needs nothing from the platform but pipes and signals.

The lines of the pipe: ``+ PGID SIGNAL`` (started, and the signal that stops it kindly),
``- PGID`` (ended) and ``remove PATH`` (a throw-away folder to delete at the end).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

PATIENCE: Final = 4.0
"""Seconds between the kind signal and SIGKILL."""


class Guard:
    """The supervisor's end of the pipe."""

    def __init__(self, holding: Sequence[int] = ()) -> None:
        """``holding`` are file descriptors, a lock's say, that stay open until all is ended."""
        self._process = subprocess.Popen(  # our own module
            [sys.executable, "-m", "atrium.up.guard"],
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=holding,
            cwd=Path(__file__).parents[2],
        )

    def started(self, group: int, stop_signal: signal.Signals) -> None:
        """From now on the watchman ends process group ``group`` if the supervisor dies."""
        self._say(f"+ {group} {int(stop_signal)}")

    def ended(self, group: int) -> None:
        """Process group ``group`` is gone: its number may be given to a stranger."""
        self._say(f"- {group}")

    def remove(self, folder: Path) -> None:
        """Delete ``folder`` after everything has stopped."""
        self._say(f"remove {folder}")

    def close(self) -> None:
        """Let the watchman finish his round, and wait for it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()


def is_alive(group: int) -> bool:
    """Whether process group ``group`` has a process that is not a mere zombie of ours."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def stop_groups(groups: dict[int, signal.Signals], patience: float = PATIENCE) -> None:
    """End the process groups: by their own signal, then, after ``patience`` s, by SIGKILL."""
    for group, stop_signal in groups.items():
        _signal(group, stop_signal)
    deadline = time.monotonic() + patience
    while any(is_alive(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        _signal(group, signal.SIGKILL)


def watch(lines: Iterable[str]) -> None:
    """Follow the supervisor's reports until they end, then end what is left."""
    groups: dict[int, signal.Signals] = {}
    folders: list[Path] = []
    for line in lines:
        verb, _, rest = line.rstrip("\n").partition(" ")
        if verb == "+":
            group, number = rest.split()
            groups[int(group)] = signal.Signals(int(number))
        elif verb == "-":
            groups.pop(int(rest), None)
        elif verb == "remove":
            folders.append(Path(rest))
    stop_groups(groups)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watch(sys.stdin)
