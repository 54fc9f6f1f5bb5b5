"""So many attempts in so many seconds, counted in Redis; in this process while it is away.

What anybody may ask for is given an allowance, per account or per source: sign-ins, sign-ups,
prices. A route declares one by ``allowance=`` (``core.web.allowances``).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core import scope
from core.errors import TooManyRequests
from core.i18n import _
from core.scope import TENANT_ZERO

log = structlog.get_logger(__name__)

REST: Final = 5.0
"""Seconds for which Redis is left alone after it failed."""
_REDIS_TIMEOUT: Final = 0.5
_LARGEST_MEMORY: Final = 50_000

# The window begins with its first attempt and is not prolonged by further ones.
_COUNT: Final = """
local n = redis.call('INCRBY', KEYS[1], ARGV[1])
if n == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
if n <= 0 then redis.call('DEL', KEYS[1]) end
return {n, redis.call('TTL', KEYS[1])}
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many attempts in so many seconds; ``name`` says of what."""

    name: str
    attempts: int
    seconds: int
    everywhere: bool = False
    """Counted over all tenants together: for what somebody would do at one after the other."""


class Throttle:
    """Counts attempts of the tenant being served, or of all tenants. An attempt counts before it
    is made, so that a thousand at once are no way round; a good one is given back."""

    def __init__(self, redis: Redis | None) -> None:
        self._redis = redis
        self._memory: dict[str, tuple[int, float]] = {}
        self._rest_until = 0.0

    async def take(self, allowance: Allowance, subject: str) -> None:
        """Count an attempt on (or from) ``subject``.

        Raises:
            TooManyRequests: with the seconds to wait.
        """
        count, wait = await self._count(allowance, subject, 1)
        if count > allowance.attempts:
            minutes = max(1, -(-wait // 60))
            raise TooManyRequests(
                str(_("Too many attempts. Please try again in {minutes} min.")).format(
                    minutes=minutes
                ),
                retry_after=max(1, wait),
            )

    async def give_back(self, allowance: Allowance, subject: str) -> None:
        """The attempt was good: it no longer counts."""
        await self._count(allowance, subject, -1)

    async def clear(self, allowance: Allowance, subject: str) -> None:
        """Forget the attempts on ``subject``: somebody proved to be its owner."""
        await self._count(allowance, subject, -1_000_000)

    async def _count(self, allowance: Allowance, subject: str, step: int) -> tuple[int, int]:
        key = _key(allowance, subject)
        if self._redis is not None and time.monotonic() >= self._rest_until:
            try:
                return await self._count_in_redis(self._redis, key, allowance.seconds, step)
            except (RedisError, OSError, TimeoutError) as problem:
                self._rest_until = time.monotonic() + REST
                log.warning("throttle.redis_away", error=type(problem).__name__)
        return self._count_here(key, allowance.seconds, step)

    async def _count_in_redis(
        self, redis: Redis, key: str, seconds: int, step: int
    ) -> tuple[int, int]:
        async with asyncio.timeout(_REDIS_TIMEOUT):
            called = cast(Awaitable[list[int]], redis.eval(_COUNT, 1, key, str(step), str(seconds)))
            count, left = await called
        return count, left

    def _count_here(self, key: str, seconds: int, step: int) -> tuple[int, int]:
        moment = time.monotonic()
        if len(self._memory) > _LARGEST_MEMORY:
            self._memory = {k: v for k, v in self._memory.items() if v[1] > moment}
        count, until = self._memory.get(key, (0, 0.0))
        if until <= moment:
            count, until = 0, moment + seconds
        count = max(0, count + step)
        self._memory[key] = (count, until)
        return count, int(until - moment) + 1


def _key(allowance: Allowance, subject: str) -> str:
    # The subject is an e-mail or an IP address: personal, so only its hash leaves the process.
    whose = TENANT_ZERO if allowance.everywhere else scope.current().id
    return f"throttle:{whose}:{allowance.name}:{hashlib.sha256(subject.encode()).hexdigest()}"
