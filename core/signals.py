"""Hints between processes: "what you remember of KEY is stale". Lost at times, never trusted.

Redis carries them without keeping them. Whoever listens is told ``None`` after every break in
the connection, which means that anything may have changed meanwhile: forget it all. Without
Redis nothing fails, it only becomes slower to notice; so whoever caches lets entries grow old.

Redis publishes to all its databases. The channels bear the number of ours, so that two
installations on one server do not hear each other.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import parse_url
from redis.exceptions import RedisError

Listener = Callable[[str | None], None]
"""Told the key that went stale, or None for all of them. It must not block."""

_PAUSE_SECONDS: Final = 1.0
_PUBLISH_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Signals:
    """One process's ear and mouth: subscribe first, then listen for as long as the process runs."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._prefix = f"atrium.signal.{parse_url(redis_url).get('db', 0)}."
        self._listeners: dict[str, list[Listener]] = defaultdict(list)
        self._mouth: Redis | None = None
        self.connected = asyncio.Event()
        """Set while signals can be heard."""

    def subscribe(self, channel: str, listener: Listener) -> None:
        """From ``listening`` on, call ``listener`` with each key published on ``channel``."""
        self._listeners[channel].append(listener)

    @contextmanager
    def hearing(self, channel: str, key: str) -> Iterator[asyncio.Event]:
        """Within, an event that is set whenever ``key`` is published, or may have been missed."""
        heard = asyncio.Event()

        def listen(published: str | None) -> None:
            if published in (key, None):
                heard.set()

        self._listeners[channel].append(listen)
        try:
            yield heard
        finally:
            self._listeners[channel].remove(listen)

    async def publish(self, channel: str, key: str) -> None:
        """Tell every process, this one first and at once. Never raises for want of Redis."""
        self._tell(channel, key)
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                if self._mouth is None:
                    self._mouth = self._connect()
                await self._mouth.publish(self._prefix + channel, key)
        except (RedisError, OSError, TimeoutError) as problem:
            log.warning("signals.unsent", channel=channel, error=type(problem).__name__)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear signals while within."""
        ear = asyncio.create_task(self._listen(), name="signals")
        try:
            yield
        finally:
            # redis-py's read with a time-out now and then swallows a cancellation; asked once,
            # the task would listen on and the process never end.
            while not ear.done():
                ear.cancel()
                await asyncio.wait({ear}, timeout=0.5)
            if self._mouth is not None:
                await self._mouth.aclose()
                self._mouth = None

    def _connect(self) -> Redis:
        return Redis.from_url(
            self._redis_url, socket_connect_timeout=2, health_check_interval=10, retry=None
        )

    async def _listen(self) -> None:
        while True:
            try:
                async with self._connect() as redis, redis.pubsub() as ear:
                    await ear.psubscribe(self._prefix + "*")
                    await self._hear(ear)
            except (RedisError, OSError, TimeoutError) as problem:
                log.warning("signals.away", error=type(problem).__name__)
            finally:
                self.connected.clear()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _hear(self, ear: PubSub) -> None:
        while True:
            # Without a time-out of its own a connection that died silently is never noticed;
            # get_message sends the health check.
            message = await ear.get_message(timeout=5)
            if message is None:
                continue
            if message["type"] == "psubscribe":
                self._forget_all()
                self.connected.set()
            elif message["type"] == "pmessage":
                channel = message["channel"].decode().removeprefix(self._prefix)
                self._tell(channel, message["data"].decode())

    def _forget_all(self) -> None:
        for channel in list(self._listeners):
            self._tell(channel, None)

    def _tell(self, channel: str, key: str | None) -> None:
        for listener in tuple(self._listeners.get(channel, ())):
            try:
                listener(key)
            except Exception:  # one deaf listener must not silence the others
                log.exception("signals.listener_failed", channel=channel)
