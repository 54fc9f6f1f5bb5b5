"""The relay: rings for every message that is due, until it is finished.

One loop per database. Each listens for the hint that something was put, and polls besides:
hints may be lost, forged, or given by a transaction that another overtook. What stays
unfinished is rung for again, at growing intervals: Redis may have been flushed, a worker killed.
Of each tenant only a fair share is with the workers at a time; the rest waits in the outbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog
from dramatiq.brokers.redis import RedisBroker
from opentelemetry.trace import SpanKind
from sqlalchemy.exc import DBAPIError

from core import telemetry
from core.db import UNREACHABLE
from core.outbox import CHANNEL, Envelope, Outbox, OutboxDatabases, connect
from core.scope import Database, Directory
from core.shares import Shares
from workers.broker import BROKER_AWAY, ring
from workers.registry import Registry

log = structlog.get_logger(__name__)

_AWAY: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
_DIRECTORY_AWAY: Final = (DBAPIError, *UNREACHABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often the relay does what."""

    poll: timedelta = timedelta(milliseconds=500)
    again: timedelta = timedelta(seconds=30)
    """When an unfinished message is first rung for again; later ones wait twice as long each."""
    longest: timedelta = timedelta(minutes=15)
    hold: timedelta = timedelta(seconds=2)
    """When a held message is looked at again, likewise doubled."""
    batch: int = 100
    databases: timedelta = timedelta(seconds=15)
    """How soon a database that was added is noticed."""
    purge: timedelta = timedelta(minutes=10)
    keep: timedelta = timedelta(days=30)
    """How long a finished message is remembered, and with it the key that makes it once."""


def shares_of(in_flight: int) -> Shares:
    """How many messages of each tenant are with the workers at a time: ``in_flight`` of one that
    is alone, half of them beside others. Less would leave workers idle between two messages."""
    return Shares(in_flight, least=max(1, in_flight // 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Rings for the messages of all databases."""

    databases: OutboxDatabases
    directory: Directory
    registry: Registry
    broker: RedisBroker
    shares: Shares = field(default_factory=lambda: shares_of(8))
    pace: Pace = field(default_factory=Pace)
    _serving: list[DatabaseLoop] = field(default_factory=list)

    def changed(self, tenant: str | None) -> None:
        """Ring at once for what was held for a tenant: it may be served again, or have the
        product. A hint: without it, held messages come up by themselves."""
        for loop in self._serving if tenant is not None else ():
            loop.hurry(UUID(tenant))

    async def run(self) -> None:
        """Until cancelled."""
        loops: dict[Database, asyncio.Task[None]] = {}
        try:
            while True:
                await self._follow_databases(loops)
                await asyncio.sleep(self.pace.databases.total_seconds())
        finally:
            for task in loops.values():
                task.cancel()
            await asyncio.gather(*loops.values(), return_exceptions=True)

    async def _follow_databases(self, loops: dict[Database, asyncio.Task[None]]) -> None:
        try:
            known = set(await self.databases.outboxes())
        except _DIRECTORY_AWAY as problem:
            log.warning("relay.directory_away", error=type(problem).__name__)
            return
        for database in loops.keys() - known:
            loops.pop(database).cancel()
            self._serving[:] = [each for each in self._serving if each.database != database]
        for database in known - loops.keys():
            loop = DatabaseLoop(relay=self, database=database)
            self._serving.append(loop)
            loops[database] = asyncio.create_task(loop.run(), name=f"relay {database.name}")


@dataclass(slots=True, kw_only=True)
class DatabaseLoop:
    """The relay's work in one database, for as long as it is listed."""

    relay: Relay
    database: Database
    _hint: asyncio.Event = field(default_factory=asyncio.Event)
    _hurried: set[UUID] = field(default_factory=set)
    _next_purge: float = 0.0

    async def run(self) -> None:
        """Until cancelled; comes back by itself when the database does."""
        while True:
            try:
                await self._serve()
            except (*_AWAY, TimeoutError) as problem:
                log.warning(
                    "relay.database_away", database=self.database.name, error=type(problem).__name__
                )
            except Exception:  # nothing else would ring for this database again
                log.exception("relay.failed", database=self.database.name)
            await asyncio.sleep(1)

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            worker = await connect(self.database)
            stack.push_async_callback(worker.close, timeout=2)
            listener = await connect(self.database)
            stack.push_async_callback(listener.close, timeout=2)
            listener.add_termination_listener(self._wake)
            await listener.add_listener(CHANNEL, self._wake)
            log.info("relay.ready", database=self.database.name)
            outbox = Outbox(worker)
            while not listener.is_closed():
                self._hint.clear()
                if self._hurried:
                    hurried, self._hurried = self._hurried, set()
                    await outbox.hurry(list(hurried))
                if not await self._round(outbox):
                    await self._purge(outbox)
                    await self._pause()

    def hurry(self, tenant: UUID) -> None:
        """Ring for what was held for ``tenant`` in the next round, which begins at once."""
        self._hurried.add(tenant)
        self._hint.set()

    def _wake(self, *_: Any) -> None:
        self._hint.set()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self.relay.pace.poll.total_seconds()):
                await self._hint.wait()
        except TimeoutError:
            return

    async def _round(self, outbox: Outbox) -> bool:
        """Ring for one batch; whether there may be more at once."""
        pace = self.relay.pace
        shares = self.relay.shares
        claimed = await outbox.claim(
            pace.batch, shares.each, shares.among(2), pace.again, pace.longest
        )
        for each in claimed:
            shares.note(each.tenant)
        if not claimed:
            return False
        try:
            ringing = await self._sort(outbox, claimed)
            await asyncio.to_thread(self._ring, ringing)
        except (*BROKER_AWAY, *_DIRECTORY_AWAY) as problem:
            log.warning("relay.cannot_ring", error=type(problem).__name__, messages=len(claimed))
            await outbox.release([each.id for each in claimed], pace.poll)
            await asyncio.sleep(1)
            return False
        return len(claimed) == pace.batch

    async def _sort(
        self, outbox: Outbox, claimed: Sequence[Envelope]
    ) -> list[tuple[str, Envelope]]:
        """The messages to ring for, each with its queue; the others are held or discarded."""
        ringing: list[tuple[str, Envelope]] = []
        for each in claimed:
            tenant = await self.relay.directory.by_id(each.tenant)
            actor = self.relay.registry.actor(each.actor)
            if tenant is None or tenant.status == "deleting":
                await outbox.discard([each.id])
                log.warning("relay.discarded", **_names(each), reason="the tenant is gone")
            elif tenant.status != "active":
                await self._hold(outbox, each, reason=tenant.status)
            elif actor is None:
                await self._hold(outbox, each, reason="no such actor here")
            elif not self.relay.registry.allowed(actor, tenant):
                await self._hold(outbox, each, reason="not enabled")
            else:
                ringing.append((actor.queue, each))
        return ringing

    async def _hold(self, outbox: Outbox, message: Envelope, *, reason: str) -> None:
        pace = self.relay.pace
        pause = min(pace.hold * (1 << min(message.sends - 1, 20)), pace.longest)
        await outbox.postpone([message.id], pause)
        if message.sends == 1:
            log.info("relay.held", **_names(message), reason=reason)

    def _ring(self, ringing: Sequence[tuple[str, Envelope]]) -> None:
        for queue, each in ringing:
            with telemetry.span(
                f"send {each.actor}",
                kind=SpanKind.PRODUCER,
                parent=each.trace,
                tenant=str(each.tenant),
                sends=each.sends,
            ):
                ring(self.relay.broker, queue, each, telemetry.traceparent() or each.trace)

    async def _purge(self, outbox: Outbox) -> None:
        moment = asyncio.get_running_loop().time()
        if moment < self._next_purge:
            return
        # A full batch: go on after the next round of ringing, rather than in one long go.
        purged = await outbox.purge(self.relay.pace.keep, 1000)
        if purged < 1000:
            self._next_purge = moment + self.relay.pace.purge.total_seconds()
        if purged:
            log.info("relay.purged", database=self.database.name, messages=purged)


def _names(message: Envelope) -> dict[str, str]:
    return {"job": str(message.id), "tenant": str(message.tenant), "actor": message.actor}
