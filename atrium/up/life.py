"""One life of a process: its output line by line, and its end with all of its family."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import IO, Self

from atrium.up.guard import is_alive
from atrium.up.process import Command

Say = Callable[[str, str], None]
"""Show a line of the process that is named first."""


class Life(asyncio.SubprocessProtocol):
    """A running process that leads a group.

    asyncio's own ``Process.wait`` returns only when the output is closed too, and a child that
    was left behind keeps it open: so this listens for the exit itself.
    """

    def __init__(self, name: str, log: IO[bytes], say: Say) -> None:
        self._name = name
        self._log = log
        self._say = say
        self._rest = b""
        self._exited = asyncio.Event()
        self._closed = asyncio.Event()
        self._transport: asyncio.SubprocessTransport

    @classmethod
    async def begin(cls, command: Command, log: IO[bytes], say: Say) -> Self:
        """Start ``command``; what it writes goes to ``log``, and line by line to ``say``."""
        loop = asyncio.get_running_loop()
        _, life = await loop.subprocess_exec(
            lambda: cls(command.name, log, say),
            *command.argv,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            **command.options,
        )
        return life

    @property
    def group(self) -> int:
        """The number of the process, and of the group that it leads."""
        number = self._transport.get_pid()
        assert number is not None
        return number

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, if it still exists."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, number)

    async def end(self, patience: float) -> int:
        """Wait for the exit; its children get ``patience`` seconds more, then SIGKILL.

        They would hold the port of whoever is started next.
        """
        await self._exited.wait()
        deadline = time.monotonic() + patience
        while is_alive(self.group) and time.monotonic() < deadline:  # noqa: ASYNC110  # nothing tells us
            await asyncio.sleep(0.02)
        self.signal(signal.SIGKILL)
        await self._closed.wait()
        self._transport.close()
        code = self._transport.get_returncode()
        assert code is not None
        return code

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._log.write(data)
        self._log.flush()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._say(self._name, line.decode(errors="replace").rstrip())

    def process_exited(self) -> None:
        self._exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._rest:
            self._say(self._name, self._rest.decode(errors="replace").rstrip())
        self._closed.set()


def fate(code: int) -> str:
    """How a process ended, in words."""
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
