"""Health: live says that the process answers, ready that what it stands on does too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from litestar.types import Send

Check = Callable[[], Awaitable[None]]
"""Returns when the thing it checks works, raises when it does not."""

PATHS: Final = frozenset({"/health/live", "/health/ready"})
"""Answered by the edge on every host."""

_LIMIT_SECONDS = 2.0


async def answer(path: str, checks: Mapping[str, Check], send: Send) -> None:
    """Answer ``/health/live`` or ``/health/ready`` on any host, without tenant or transaction."""
    results = {} if path == "/health/live" else await _run(checks)
    ready = all(result == "ok" for result in results.values())
    body = msgspec.json.encode({"status": "ok" if ready else "unavailable", "checks": results})
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"content-length", str(len(body)).encode()),
    ]
    if not ready:
        headers.append((b"retry-after", b"2"))
    status = 200 if ready else 503
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _run(checks: Mapping[str, Check]) -> dict[str, str]:
    outcomes = await asyncio.gather(*map(_one, checks.values()))
    return dict(zip(checks, outcomes, strict=True))


async def _one(check: Check) -> str:
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            await check()
    except Exception as problem:  # whatever it is, the answer is "not ready"
        return type(problem).__name__
    return "ok"
