"""Computing in another process: what comes back, and what is stopped."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core import compute


class Sum(msgspec.Struct):
    """A result with a shape."""

    total: int
    by: int


def add(numbers: list[int], more: int) -> Sum:
    print("this is no part of the answer")  # noqa: T201
    return Sum(sum(numbers) + more, os.getpid())


def refuse(body: bytes) -> None:
    raise compute.Refused("damaged" if body else "empty")


def fall_over(name: str) -> None:
    raise ValueError(f"{name} is told nobody")


def swell() -> int:
    return len(bytearray(8 << 30))


def hang(note: str) -> None:
    Path(note).write_text(str(os.getpid()))
    time.sleep(60)


def die() -> None:
    os._exit(3)


def look_round() -> list[str]:
    return sorted(os.environ)


async def test_the_result_comes_back_with_its_type() -> None:
    """From another process, whatever it prints."""
    found = await compute.run(add, [1, 2], 3)
    assert found.total == 6
    assert found.by != os.getpid()


async def test_a_refusal_keeps_its_reason() -> None:
    with pytest.raises(compute.Refused, match="damaged"):
        await compute.run(refuse, b"x")


async def test_a_failure_says_where_and_not_what() -> None:
    with pytest.raises(compute.ComputationFailed, match="ValueError at test_compute") as failed:
        await compute.run(fall_over, "Maria")
    assert "Maria" not in str(failed.value)


async def test_too_much_memory_is_stopped() -> None:
    with pytest.raises(compute.ComputationFailed, match="out of memory"):
        await compute.run(swell, memory=1 << 30)


async def test_too_much_time_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(compute.TookTooLong):
        await compute.run(hang, str(tmp_path / "pid"), seconds=2)
    assert not _lives(tmp_path / "pid")


async def test_a_cancelled_computation_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    task = asyncio.create_task(compute.run(hang, str(note)))
    await _until(lambda: note.exists() and bool(note.read_text()))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _until(lambda: not _lives(note))


async def test_a_process_that_dies_is_a_failure() -> None:
    with pytest.raises(compute.ComputationFailed, match="ended by 3"):
        await compute.run(die)


async def test_the_child_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATRIUM_S3_SECRET_KEY", "secret")
    assert set(await compute.run(look_round)) <= {"LANG", "LC_CTYPE"}


async def _until(what: Callable[[], bool]) -> None:
    for _look in range(200):
        if what():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it never came to that")


def _lives(note: Path) -> bool:
    try:
        os.kill(int(note.read_text()), 0)
    except ProcessLookupError:
        return False
    return True
