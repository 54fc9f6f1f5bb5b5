"""A bounded HTTP load: keep-alive connections that take turns over a list of requests.

Run as a process of its own (``python -m bench.load``), so that it shares no interpreter with
what it measures. It reads one JSON document from standard input and prints another.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time

import msgspec
import uvloop


class Load(msgspec.Struct, kw_only=True):
    """Whole HTTP/1.1 ``requests``, taken in turn by ``connections`` for ``seconds``.

    With ``once`` it ends earlier: when each of them was sent. With ``every`` each connection
    asks at that interval, in seconds, rather than as soon as it was answered; what is late
    is made up for, and a latency counts from when the request was due.
    """

    port: int
    requests: list[str]
    connections: int
    seconds: float
    expect: int = 200
    once: bool = False
    every: float = 0.0


class Outcome(msgspec.Struct, kw_only=True):
    """Requests answered, per second, and their latencies in milliseconds."""

    answered: int
    unexpected: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


async def measure(load: Load) -> Outcome:
    """Put the load on ``127.0.0.1:port``."""
    encoded = [request.encode() for request in load.requests]
    latencies: list[float] = []
    unexpected = 0
    turn = 0
    last = len(encoded) if load.once else math.inf
    status = f"HTTP/1.1 {load.expect} ".encode()
    deadline = time.perf_counter() + load.seconds

    async def connection(number: int) -> None:
        nonlocal unexpected, turn
        reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
        due = time.perf_counter() + load.every * number / load.connections
        while time.perf_counter() < deadline and turn < last:
            request = encoded[turn % len(encoded)]
            turn += 1
            if load.every:
                await asyncio.sleep(due - time.perf_counter())
            begun = due if load.every else time.perf_counter()
            due += load.every
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await _skip_body(reader, head.lower())
            latencies.append(time.perf_counter() - begun)
            unexpected += not head.startswith(status)
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(connection(number) for number in range(load.connections)))
    elapsed = time.perf_counter() - begun
    latencies.sort()
    return Outcome(
        answered=len(latencies),
        unexpected=unexpected,
        per_second=round(len(latencies) / elapsed, 1),
        p50_ms=quantile(latencies, 0.50),
        p95_ms=quantile(latencies, 0.95),
        p99_ms=quantile(latencies, 0.99),
    )


async def _skip_body(reader: asyncio.StreamReader, head: bytes) -> None:
    if b"transfer-encoding: chunked" in head:
        await reader.readuntil(b"\r\n0\r\n\r\n")
        return
    start = head.index(b"content-length:") + 15
    await reader.readexactly(int(head[start : head.index(b"\r\n", start)]))


def quantile(ordered: list[float], share: float) -> float:
    """Of seconds in ascending order the one below which ``share`` of them lie, in ms."""
    return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000, 2)


async def put_on(load: Load) -> Outcome:
    """``measure`` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", stdin=-1, stdout=-1
    )
    output, _ = await process.communicate(msgspec.json.encode(load))
    if process.returncode:
        raise RuntimeError(f"the load generator ended with {process.returncode}")
    return msgspec.json.decode(output, type=Outcome)


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(measure(asked))))
