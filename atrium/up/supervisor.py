"""Children that are kept running: named, logged, restarted when they die, stopped in order."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from atrium.up.guard import Guard
from atrium.up.life import Life, Say, fate
from atrium.up.process import Command

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
    _life: Life | None = field(default=None, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _renewing: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def start(self) -> None:
        """Start it, and from now on start it again whenever it dies."""
        self._task = asyncio.create_task(self._keep())

    async def stop(self, hurry: asyncio.Event) -> None:
        """End it by its own signal, and by SIGKILL after a while or when there is a hurry."""
        self._stopping.set()
        if self._task is None:
            return
        if self._life is not None:
            self._life.signal(self.command.stop_signal)
        hurried = asyncio.create_task(hurry.wait())
        await asyncio.wait(
            {self._task, hurried}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED
        )
        hurried.cancel()
        if not self._task.done() and self._life is not None:
            self.say(self.command.name, "does not stop; killed")
            self._life.signal(signal.SIGKILL)
        await self._task

    def renew(self) -> None:
        """Start it anew: it has become another program. One that pauses is started at once."""
        self._renewing.set()
        if self._life is not None:
            self._life.signal(self.command.stop_signal)

    async def _keep(self) -> None:
        deaths = 0
        while not self._stopping.is_set():
            born = time.monotonic()
            ended = await self._live()
            if self._stopping.is_set():
                return
            if self._renewing.is_set():
                self._renewing.clear()
                deaths = 0
                continue
            deaths = 0 if time.monotonic() - born > _STEADY else deaths
            pause = min(_FIRST_PAUSE * 2**deaths, _LONGEST_PAUSE)
            deaths += 1
            self.say("up", f"{self.command.name} {ended}; starting it again in {pause:g} s")
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until it is to stop or to be started anew."""
        events = (self._stopping, self._renewing)
        waiting = [asyncio.create_task(each.wait()) for each in events]
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()
        self._renewing.clear()

    async def _live(self) -> str:
        """Run it once; say how it ended."""
        with self.log.open("ab") as log:
            life = await Life.begin(self.command, log, self.say)
            self.guard.started(life.group, self.command.stop_signal)
            self._life = life
            if self._stopping.is_set():  # asked to stop while it was being born
                life.signal(self.command.stop_signal)
            code = await life.end(_PATIENCE / 2 if self._stopping.is_set() else 0.2)
        self._life = None
        self.guard.ended(life.group)
        return fate(code)


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

    def renew(self) -> None:
        """Start the last stage anew, in the code that is there now."""
        for child in self._stages[-1]:
            child.renew()

    async def run(self, command: Command) -> None:
        """Run ``command`` once to its end.

        Raises:
            RuntimeError: it failed.
        """
        with (self._logs / f"{command.name}.log").open("ab") as log:
            life = await Life.begin(command, log, self._say)
            self._guard.started(life.group, command.stop_signal)
            try:
                code = await life.end(0.2)
            finally:
                life.signal(signal.SIGKILL)
                self._guard.ended(life.group)
        if code:
            raise RuntimeError(f"{command.name} {fate(code)}")

    async def stop(self, hurry: asyncio.Event) -> None:
        """Stop every stage, the last one first."""
        for stage in reversed(self._stages):
            await asyncio.gather(*(child.stop(hurry) for child in stage))
        self._stages.clear()

    def _child(self, command: Command) -> Child:
        return Child(command, self._logs / f"{command.name}.log", self._say, self._guard)
