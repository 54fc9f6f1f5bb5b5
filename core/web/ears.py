"""Ears: a stream of server-sent events sleeps until a signal wakes it.

It holds no connection to the database and no transaction meanwhile. A signal is a hint
(``core.signals``): a stream looks now and then anyway.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from core.signals import Signals

MOST: Final = 6
"""Streams that one person may have open in this process; the oldest gives way."""


class Ear:
    """Held by one stream: waits until it is woken. ``is_over`` once it must give way."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self.is_over = False

    def wake(self) -> None:
        """End the wait that goes on, or else the next one."""
        self._woken.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until woken; False if nobody did within ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True


class Ears:
    """The streams of this process, by the person who reads them."""

    def __init__(self, signals: Signals, *channels: str) -> None:
        self._open: dict[tuple[str, str], list[Ear]] = defaultdict(list)
        for channel in channels:
            signals.subscribe(channel, self.hear)

    @contextmanager
    def listening(self, tenant_id: UUID, user_id: UUID) -> Iterator[Ear]:
        """An ear that is woken by signals about one person."""
        key, ear = (str(tenant_id), str(user_id)), Ear()
        mine = self._open[key]
        mine.append(ear)
        if len(mine) > MOST:
            mine[0].is_over = True
            mine.pop(0).wake()
        try:
            yield ear
        finally:
            if ear in mine:
                mine.remove(ear)
            if not mine and self._open.get(key) is mine:
                del self._open[key]

    def hear(self, key: str | None) -> None:
        """A signal: the ids of a tenant and of its people; None wakes everybody."""
        if key is None:
            woken = list(self._open)
        else:
            tenant_id, *people = key.split(" ")
            woken = [(tenant_id, each) for each in people if (tenant_id, each) in self._open]
        for each in woken:
            for ear in self._open[each]:
                ear.wake()
