"""By how much one tenant at 50 times the load moves the others' p99, in requests and in jobs.

HTTP: 20 tenants ask by one connection each, as fast as they are answered, so that the server has
no idle moment; beside them a further one does so by 50 connections. It begins a second before
the others are measured and ends after them: starting a load costs the same two cores. Queue: see
``bench.noisy_queue``.

Each is held against the same without the noise, which adds to the load and is not taken from it.
Windows with and without take turns, and every second pair is the other way round, so that a
machine that grows busier favours neither. The p99 of a window is one of thousands of requests,
or hundreds of jobs; the medians over all windows are compared.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from dataclasses import dataclass, field
from typing import Final

import msgspec

from atrium.testing.servers import REDIS
from bench import noisy_queue
from bench.load import Load, Outcome, put_on
from bench.reading import Reader, reader
from bench.result import Result
from bench.stage import atrium_web, stage, tenants

QUIET: Final = 20
TIMES: Final = 50
SECONDS: Final = 3.0
PAIRS: Final = 8
AHEAD: Final = 1.2
"""Seconds by which the noise begins earlier."""
LARGEST: Final = 1.2


async def run() -> Result:
    """Measure both."""
    async with stage() as world:
        noisy, *quiet = [await reader(world, each) for each in await tenants(world, QUIET + 1)]
        async with atrium_web(world) as port:
            http = await _measure_http(port, noisy, quiet)
        queue = await noisy_queue.measure(world.postgres, f"{os.environ[REDIS]}/1")
    return _judge(http, queue)


async def _measure_http(port: int, noisy: Reader, quiet: list[Reader]) -> Windows:
    load = Load(
        port=port,
        requests=[each.request(port) for each in quiet],
        connections=QUIET,
        seconds=SECONDS,
    )
    noise = Load(
        port=port,
        requests=[noisy.request(port)],
        connections=TIMES,
        seconds=SECONDS + 2 * AHEAD,
    )
    windows = Windows()

    async def alone() -> None:
        windows.alone.append(await put_on(load))

    async def beside() -> None:
        making_noise = asyncio.create_task(put_on(noise))
        await asyncio.sleep(AHEAD)
        windows.beside.append(await put_on(load))
        windows.noisy.append(await making_noise)

    await put_on(load)
    for pair in range(PAIRS):
        for window in (alone, beside) if pair % 2 == 0 else (beside, alone):
            await window()
    return windows


@dataclass(slots=True)
class Windows:
    """What came of each window, in the order of the pairs."""

    alone: list[Outcome] = field(default_factory=list)
    beside: list[Outcome] = field(default_factory=list)
    noisy: list[Outcome] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median p99 beside the noise, to the median without."""
        return _p99(self.beside) / _p99(self.alone)


def _p99(outcomes: list[Outcome]) -> float:
    return statistics.median(each.p99_ms for each in outcomes)


def _judge(http: Windows, queue: noisy_queue.Measured) -> Result:
    wrong = sum(each.unexpected for each in (*http.alone, *http.beside))
    worst = max(http.ratio, queue.ratio)
    return Result(
        bench="noisy_neighbour",
        value=round(worst, 2),
        unit="others' p99 as a ratio to the same without the noise, the larger of HTTP and queue",
        target=f"<= {LARGEST}, no unexpected status at the others'",
        met=worst <= LARGEST and not wrong,
        detail={
            "http": round(http.ratio, 2),
            "queue": round(queue.ratio, 2),
            "http_windows": msgspec.to_builtins(http),
            "queue_windows": msgspec.to_builtins(queue),
        },
    )
