"""How the installation is: its processes, its databases, Redis, and what waits."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core import presence
from core.outbox import OutboxDatabases
from core.presence import Sign
from tenants.operator.services import databases
from tenants.operator.services.databases import Looked

PROCESSES = ("web", "worker", "relay", "scheduler")
_BROKER = "atrium:{queue}"
"""Where Dramatiq keeps the messages of a queue, by the name that workers.broker gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAnswer:
    """What Redis said; ``rung`` is how many jobs wait in each queue for a worker's free hand."""

    version: str
    bytes: int
    seconds: float
    rung: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All of it. ``missing`` are the kinds of process of which none is known to live."""

    signs: Sequence[Sign]
    missing: Sequence[str]
    databases: Sequence[Looked]
    redis: RedisAnswer | None
    redis_problem: str = ""
    breakers: Mapping[str, int] = field(default_factory=dict)
    """In how many processes each vendor is left alone just now."""

    @property
    def is_well(self) -> bool:
        """Whether nothing here needs anybody."""
        answers = all(each.answer for each in self.databases)
        return self.redis is not None and answers and not self.missing and not self.breakers


async def look(outboxes: OutboxDatabases, redis: Redis, queues: Iterable[str]) -> Health:
    """Ask everything; what is away is told as such."""
    looked = await databases.look(outboxes)
    try:
        answer = await _ask_redis(redis, sorted(queues))
        signs = await presence.signs(redis)
    except (RedisError, OSError) as problem:
        return Health(
            signs=(),
            missing=(),
            databases=looked,
            redis=None,
            redis_problem=type(problem).__name__,
        )
    living = [sign for sign in signs if not sign.is_missed]
    missing = [kind for kind in PROCESSES if kind not in {sign.process for sign in living}]
    return Health(
        signs=signs, missing=missing, databases=looked, redis=answer, breakers=_open(living)
    )


def _open(living: Sequence[Sign]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for sign in living:
        for vendor, state in sign.breakers.items():
            if state == "open":
                counted[vendor] = counted.get(vendor, 0) + 1
    return counted


async def _ask_redis(redis: Redis, queues: Sequence[str]) -> RedisAnswer:
    begun = time.monotonic()
    await redis.ping()
    seconds = time.monotonic() - begun
    told = await redis.info()
    return RedisAnswer(
        version=str(told.get("redis_version", "")),
        bytes=int(told.get("used_memory", 0)),
        seconds=seconds,
        rung={queue: await redis.llen(_BROKER.format(queue=queue)) for queue in queues},
    )
