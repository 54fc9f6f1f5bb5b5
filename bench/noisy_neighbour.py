"""By how much one tenant at 50 times the load moves the others' p99, in requests and in jobs.

HTTP: 20 tenants ask by one connection each, as fast as they are answered; then a further one
does so by 50 connections. Queue: see ``bench.noisy_queue``. Each is held against the same
without the noise, in turn, and the median of the ratios counts.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from typing import Any, Final

import msgspec

from atrium.testing.servers import REDIS
from bench import noisy_queue
from bench.load import Load, Outcome, put_on
from bench.reading import Reader, reader
from bench.result import Result
from bench.stage import atrium_web, stage, tenants

QUIET: Final = 20
TIMES: Final = 50
SECONDS: Final = 5.0
ROUNDS: Final = 7
LARGEST: Final = 1.2


async def run() -> Result:
    """Measure both."""
    async with stage() as world:
        noisy, *quiet = [await reader(world, each) for each in await tenants(world, QUIET + 1)]
        async with atrium_web(world) as port:
            rounds = [await _round(port, noisy, quiet) for _ in range(ROUNDS + 1)][1:]
        queues = [
            await noisy_queue.measure(world.postgres, f"{os.environ[REDIS]}/1") for _ in range(3)
        ]
    http = statistics.median(beside.p99_ms / alone.p99_ms for alone, beside, _ in rounds)
    queue = statistics.median(q["beside"]["p99_ms"] / q["alone"]["p99_ms"] for q in queues)
    wrong = sum(alone.unexpected + beside.unexpected for alone, beside, _ in rounds)
    return Result(
        bench="noisy_neighbour",
        value=round(max(http, queue), 2),
        unit="others' p99 as a ratio to the same without the noise, the larger of HTTP and queue",
        target=f"<= {LARGEST}, no unexpected status at the others'",
        met=max(http, queue) <= LARGEST and not wrong,
        detail={
            "http": round(http, 2),
            "queue": round(queue, 2),
            "http_rounds": [_told(*each) for each in rounds],
            "queue_rounds": queues,
        },
    )


async def _round(port: int, noisy: Reader, quiet: list[Reader]) -> tuple[Outcome, Outcome, Outcome]:
    """The quiet ones alone, then beside the noise; and how the noisy one fared."""
    load = Load(
        port=port,
        requests=[each.request(port) for each in quiet],
        connections=QUIET,
        seconds=SECONDS,
    )
    noise = Load(
        port=port, requests=[noisy.request(port)], connections=TIMES, seconds=SECONDS + 0.5
    )
    alone = await put_on(load)
    making_noise = asyncio.create_task(put_on(noise))
    beside = await put_on(load)
    return alone, beside, await making_noise


def _told(alone: Outcome, beside: Outcome, noisy: Outcome) -> dict[str, Any]:
    return {
        "alone": msgspec.to_builtins(alone),
        "beside": msgspec.to_builtins(beside),
        "noisy": msgspec.to_builtins(noisy),
    }
