"""Children that are kept running: named, logged, restarted when they die, stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from atrium.up.guard import Guard, is_alive
from atrium.up.process import Command

Say = Callable[[str, str], None]
"""Show a line of the process that is named first."""

_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 10.0
_STEADY: Final = 30.0
"""After so many seconds of life a child's next death counts as its first."""
_PATIENCE: Final = 4.0


@dataclass(eq=False)
class Child:
    """One supervised process."""

    command: Command
    log: Path
    say: Say
    guard: Guard
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def start(self) -> None:
        """Start it, and from now on start it again whenever it dies."""
        self._task = asyncio.create_task(self._keep())

    async def stop(self, hurry: asyncio.Event) -> None:
        """End it by its own signal, and by SIGKILL after a while or when there is a hurry."""
        self._stopping.set()
        if self._task is None:
            return
        if self._process is not None:
            _signal_group(self._process.pid, self.command.stop_signal)
        hurried = asyncio.create_task(hurry.wait())
        await asyncio.wait(
            {self._task, hurried}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED
        )
        hurried.cancel()
        if not self._task.done() and self._process is not None:
            self.say(self.command.name, "does not stop; killed")
            _signal_group(self._process.pid, signal.SIGKILL)
        await self._task

    async def _keep(self) -> None:
        deaths = 0
        while not self._stopping.is_set():
            born = time.monotonic()
            fate = await self._live()
            if self._stopping.is_set():
                return
            deaths = 0 if time.monotonic() - born > _STEADY else deaths
            pause = min(_FIRST_PAUSE * 2**deaths, _LONGEST_PAUSE)
            deaths += 1
            self.say("up", f"{self.command.name} {fate}; starting it again in {pause:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _live(self) -> str:
        """Run it once; say how it ended."""
        process = await asyncio.create_subprocess_exec(
            *self.command.argv,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            **self.command.options,
        )
        self.guard.started(process.pid, self.command.stop_signal)
        self._process = process
        if self._stopping.is_set():  # asked to stop while it was being born
            _signal_group(process.pid, self.command.stop_signal)
        assert process.stdout is not None
        with self.log.open("ab") as log:
            pump = asyncio.create_task(self._pump(process.stdout, log))
            code = await process.wait()
            await self._end_group(process.pid)
            await pump
        self._process = None
        self.guard.ended(process.pid)
        return _fate(code)

    async def _end_group(self, group: int) -> None:
        """What its own children still do would hold its port and its output's pipe."""
        deadline = time.monotonic() + (_PATIENCE / 2 if self._stopping.is_set() else 0.2)
        while is_alive(group) and time.monotonic() < deadline:  # noqa: ASYNC110  # nothing tells us
            await asyncio.sleep(0.02)
        _signal_group(group, signal.SIGKILL)

    async def _pump(self, stream: asyncio.StreamReader, log: IO[bytes]) -> None:
        rest = b""
        while chunk := await stream.read(1 << 16):
            log.write(chunk)
            log.flush()
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.say(self.command.name, line.decode(errors="replace").rstrip())
        if rest:
            self.say(self.command.name, rest.decode(errors="replace").rstrip())


class Supervisor:
    """The children of one run, in stages: what is started last is stopped first."""

    def __init__(self, logs: Path, say: Say, guard: Guard) -> None:
        self._logs = logs
        self._say = say
        self._guard = guard
        self._stages: list[list[Child]] = []

    def start(self, commands: Iterable[Command]) -> None:
        """Start a stage."""
        stage = [self._child(command) for command in commands]
        self._stages.append(stage)
        for child in stage:
            child.start()

    async def run(self, command: Command) -> list[str]:
        """Run ``command`` once to its end; its lines of standard output.

        Raises:
            RuntimeError: it failed; what it said has been shown.
        """
        process = await asyncio.create_subprocess_exec(
            *command.argv,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            **command.options,
        )
        self._guard.started(process.pid, command.stop_signal)
        try:
            assert process.stderr is not None
            assert process.stdout is not None
            with (self._logs / f"{command.name}.log").open("ab") as log:
                pump = self._child(command)._pump(process.stderr, log)
                output, _ = await asyncio.gather(process.stdout.read(), pump)
            code = await process.wait()
        finally:
            _signal_group(process.pid, signal.SIGKILL)
            self._guard.ended(process.pid)
        lines = output.decode(errors="replace").splitlines()
        if code:
            for line in lines:
                self._say(command.name, line)
            raise RuntimeError(f"{command.name} {_fate(code)}")
        return lines

    async def stop(self, hurry: asyncio.Event) -> None:
        """Stop every stage, the last one first."""
        for stage in reversed(self._stages):
            await asyncio.gather(*(child.stop(hurry) for child in stage))
        self._stages.clear()

    def _child(self, command: Command) -> Child:
        return Child(command, self._logs / f"{command.name}.log", self._say, self._guard)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _fate(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
