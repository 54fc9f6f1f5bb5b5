"""Which processes of the installation live: each says so in Redis every few seconds.

Nothing depends on it: without Redis nobody knows, and everything goes on.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.clock import now

EVERY: Final = 10.0
"""Seconds between two signs of life."""
MISSED: Final = timedelta(seconds=35)
"""Whoever was not heard of for longer is missed."""
FORGOTTEN: Final = timedelta(days=1)
_KEY: Final = "atrium.presence"


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """A process as it last spoke of itself; ``breakers`` are what it calls (stripe, smtp), each
    ``closed`` (in order) or ``open`` (left alone for a while)."""

    process: str
    host: str
    pid: int
    since: datetime
    at: datetime
    breakers: Mapping[str, str] = {}

    @property
    def is_missed(self) -> bool:
        """Whether it should have been heard of since."""
        return now() - self.at > MISSED


@asynccontextmanager
async def shown(
    redis: Redis, process: str, breakers: Callable[[], Mapping[str, str]]
) -> AsyncIterator[None]:
    """Give signs of life as a ``process`` (web, worker, …) while within, and take leave after."""
    begun = now()

    async def speak() -> None:
        while True:
            sign = Sign(
                process=process,
                host=socket.gethostname(),
                pid=os.getpid(),
                since=begun,
                at=now(),
                breakers=breakers(),
            )
            with suppress(RedisError, OSError):
                await redis.hset(_KEY, name, msgspec.json.encode(sign).decode())
            await asyncio.sleep(EVERY)

    name = f"{process} {socket.gethostname()} {os.getpid()}"
    speaking = asyncio.create_task(speak(), name="presence")
    try:
        yield
    finally:
        speaking.cancel()
        with suppress(asyncio.CancelledError):
            await speaking
        with suppress(RedisError, OSError):
            await redis.hdel(_KEY, name)


async def signs(redis: Redis) -> Sequence[Sign]:
    """Every process that was heard of within a day and did not take leave.

    Raises:
        RedisError, OSError: Redis is away.
    """
    told = await redis.hgetall(_KEY)
    found = {name: msgspec.json.decode(sign, type=Sign) for name, sign in told.items()}
    gone = [name for name, sign in found.items() if now() - sign.at > FORGOTTEN]
    if gone:
        await redis.hdel(_KEY, *gone)
    living = [sign for name, sign in found.items() if name not in gone]
    return sorted(living, key=lambda sign: (sign.process, sign.host, sign.pid))
