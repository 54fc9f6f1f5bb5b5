"""Heavy work in a process of its own, with limits of time and memory.

What is computed may take long, hang, or be made to burst: in a process it can be stopped, and what
it took is given back. It is called with no transaction open (``core.db.outside``). Arguments and
result are MessagePack, read by the function's annotations: what a stranger's file makes of the
child process cannot make the parent run anything. The child sees no environment of ours.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final, TypeVar, get_type_hints

import msgspec

R = TypeVar("R")

AT_ONCE: Final = max(2, (os.cpu_count() or 2))
"""Computations of one process at a time; others wait for their turn."""
SECONDS: Final = 30.0
MEMORY: Final = 2 << 30
"""Bytes of address space; libraries map far more of it than they use."""


class Refused(Exception):
    """Raised by a computed function that finds its input at fault; ``reason`` is its own code."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ComputationFailed(RuntimeError):
    """It raised something else, took too much memory, or was killed; the message says where."""


class TookTooLong(ComputationFailed):
    """It was stopped at its limit of time."""


class _Answer(msgspec.Struct):
    result: bytes | None = None
    refused: str | None = None
    failed: str | None = None


async def run(
    function: Callable[..., R], *given: Any, seconds: float = SECONDS, memory: int = MEMORY
) -> R:
    """What ``function``, a plain function of a module, makes of ``given`` in another process.

    It waits for its turn, then has ``seconds``, and ``memory`` bytes of address space. Cancelled,
    it is killed with whatever it has started.

    Raises:
        Refused: as the function did.
        TookTooLong, ComputationFailed: no attempt with the same input will do better.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    child = _Child([name, str(int(memory)), str(int(seconds) + 1)], seconds)
    loop = asyncio.get_running_loop()
    try:
        said = await loop.run_in_executor(_TURNS, child.work, msgspec.msgpack.encode(given))
    except asyncio.CancelledError:
        child.stop()
        raise
    answer = msgspec.msgpack.decode(said, type=_Answer)
    if answer.refused is not None:
        raise Refused(answer.refused)
    if answer.result is None:
        raise ComputationFailed(answer.failed)
    result: R = msgspec.msgpack.decode(answer.result, type=get_type_hints(function)["return"])
    return result


_TURNS: Final = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="compute")


@dataclass(slots=True)
class _Child:
    """The process of one computation, with its own process group."""

    arguments: list[str]
    seconds: float
    process: subprocess.Popen[bytes] | None = field(default=None)
    is_stopped: bool = False

    def work(self, given: bytes) -> bytes:
        if self.is_stopped:
            raise ComputationFailed("it was cancelled before its turn")
        with subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-I", "-m", "core.compute", *self.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"LANG": "C.UTF-8"},
            start_new_session=True,
        ) as self.process:
            try:
                said, _ = self.process.communicate(given, timeout=self.seconds)
            except subprocess.TimeoutExpired:
                self.stop()
                raise TookTooLong(f"{self.arguments[0]}: {self.seconds} seconds") from None
            except BaseException:
                self.stop()
                raise
        if self.process.returncode or not said:
            text = f"{self.arguments[0]}: ended by {self.process.returncode}"
            raise ComputationFailed(text)
        return said

    def stop(self) -> None:
        self.is_stopped = True
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


def _compute(name: str, given: bytes) -> _Answer:
    module, _, inside = name.partition(":")
    function = getattr(import_module(module), inside)
    kinds = [kind for key, kind in get_type_hints(function).items() if key != "return"]
    try:
        found = function(*msgspec.msgpack.decode(given, type=tuple[tuple(kinds)]))  # type: ignore[misc]  # as they are
        return _Answer(result=msgspec.msgpack.encode(found))
    except MemoryError:
        return _Answer(failed=f"{name}: out of memory")
    except Exception as problem:
        if type(problem).__name__ == Refused.__name__:  # this module is __main__ here
            return _Answer(refused=str(problem))
        at = traceback.extract_tb(problem.__traceback__)[-1]
        where = f"{os.path.basename(at.filename)}:{at.lineno}"
        # Not what it says, which might tell of people.
        return _Answer(failed=f"{name}: {type(problem).__name__} at {where}")


def main() -> None:
    """In the child: read the arguments, compute, write the answer."""
    name, memory, seconds = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the function prints is no part of the answer
    given = sys.stdin.buffer.read()
    with answer:
        answer.write(msgspec.msgpack.encode(_compute(name, given)))


if __name__ == "__main__":
    main()
