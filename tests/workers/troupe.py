"""The processes of the crash tests, to be started, watched and killed by role."""

from __future__ import annotations

from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.forked import FORKED
from tests.workers.processes import play


class Troupe:
    """Processes by role, each with a file that says that it is at work."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self._folder = folder
        self._jobs = jobs
        self._running: dict[str, BaseProcess] = {}
        self.kills: Counter[str] = Counter()

    def start(self, role: str) -> None:
        self._at_work(role).unlink(missing_ok=True)
        process = FORKED.Process(target=play, args=(role, self._folder, self._jobs))
        process.start()
        self._running[role] = process

    def runs(self, role: str) -> bool:
        """Whether it has not come to its end."""
        return self._running[role].exitcode != 0

    def at_work(self, role: str) -> bool:
        """Whether it has begun to work: only then is there something to interrupt."""
        return self._at_work(role).exists() and self._running[role].is_alive()

    def alive(self, role: str) -> bool:
        """Whether its process is there."""
        return self._running[role].is_alive()

    def kill(self, role: str) -> None:
        process = self._running[role]
        if process.is_alive():
            process.kill()
            self.kills[role] += 1
        process.join()

    def restart(self, role: str) -> None:
        self.kill(role)
        self.start(role)

    def stop(self) -> None:
        for role in list(self._running):
            self.kill(role)

    def _at_work(self, role: str) -> Path:
        return self._folder / f"{role}.at_work"
