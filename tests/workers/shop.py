"""A plugin for the tests of jobs: it sells things, and its tables show what happened how often.

The tables have no constraints that could hide a second effect.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import outside
from core.events import Event, emit
from core.jobs import GiveUp, Schedule, actor, running_job
from core.plugin import Plugin
from tests.workers.vendor import call

TABLES = """
CREATE TABLE effects (job uuid NOT NULL, actor text NOT NULL, number integer NOT NULL);
CREATE TABLE orders (id uuid PRIMARY KEY, state text NOT NULL);
CREATE TABLE asked (number integer NOT NULL);
CREATE TABLE schedule_runs (
  name text PRIMARY KEY, slot timestamptz NOT NULL
)
"""

_EFFECT = text("INSERT INTO effects (job, actor, number) VALUES (:job, :actor, :number)")


IN_A_SECOND = text("SELECT clock_timestamp() + interval '1 second'")


class Sold(Event):
    """Something was sold."""

    name = "shop.sold"

    number: int
    on: date


class OutOfStock(RuntimeError):
    """A failure that another attempt may mend."""


async def effect(session: AsyncSession, number: int) -> None:
    """Leave a trace of the running job in its transaction."""
    job = running_job()
    await session.execute(_EFFECT, {"job": job.id, "actor": job.actor, "number": number})


@actor("shop.sell")
async def sell(session: AsyncSession, number: int) -> None:
    """One effect, after a moment in which a kill may come."""
    await effect(session, number)
    await asyncio.sleep(random.random() * 0.02)


@actor("shop.ship", time_limit=timedelta(seconds=1))
async def ship(session: AsyncSession, number: int) -> None:
    """Its effect comes after a commit midway."""

    async def call() -> None:
        await asyncio.sleep(random.random() * 0.02)

    await outside(session, call)
    await effect(session, number)


@actor("shop.haggle", max_attempts=50)
async def haggle(session: AsyncSession, number: int) -> None:
    """Fails after its effect, at times."""
    await effect(session, number)
    if random.random() < 0.4:
        raise OutOfStock


@actor("shop.announce", queue="loud")
async def announce(session: AsyncSession, number: int) -> None:
    """Tells the world, in another queue."""
    await effect(session, number)
    await emit(session, Sold(number=number, on=date(2026, 11, 20)))


@actor("shop.note")
async def note(session: AsyncSession, event: Sold) -> None:
    """Hears of a sale."""
    assert event.on == date(2026, 11, 20)
    await effect(session, event.number)


@actor("shop.count_stock")
async def count_stock(session: AsyncSession) -> None:
    """Runs by a schedule."""
    await effect(session, 0)


@actor("shop.refuse", max_attempts=2)
async def refuse(session: AsyncSession, number: int) -> None:
    """Always fails, naming a person."""
    await effect(session, number)
    raise OutOfStock("eva@example.org wanted it")


@actor("shop.abandon")
async def abandon(session: AsyncSession, number: int) -> None:
    """Knows that trying again is of no use."""
    raise GiveUp("no such shelf")


@actor("shop.dawdle", time_limit=timedelta(milliseconds=200), max_attempts=1)
async def dawdle(session: AsyncSession, number: int) -> None:
    """Takes longer than it may."""
    await effect(session, number)
    await asyncio.sleep(30)


_INTENT = text("INSERT INTO orders VALUES (:id, 'unknown') ON CONFLICT DO NOTHING RETURNING id")
_KNOWN = text("SELECT state FROM orders WHERE id = :id")
_OUTCOME = text("UPDATE orders SET state = 'done' WHERE id = :id")


@actor("shop.order", max_attempts=200)
async def order(session: AsyncSession, order_id: UUID, port: int) -> None:
    """Orders from a vendor that knows no idempotency keys, but can be asked."""
    which = {"id": order_id}
    known = None
    if await session.scalar(_INTENT, which) is None:
        known = await session.scalar(_KNOWN, which)
    if known == "done":
        return
    if known == "unknown":
        answer = await outside(session, lambda: call(port, "ask", str(order_id)))
    if known is None or answer == "unknown":
        await outside(session, lambda: call(port, "order", str(order_id)))
    await session.execute(_OUTCOME, which)


@actor("shop.collapse", max_attempts=3)
async def collapse(session: AsyncSession, number: int) -> None:
    """Takes its worker down with it, as native code that crashes does."""
    await effect(session, number)
    os.kill(os.getpid(), signal.SIGKILL)


@actor("shop.linger")
async def linger(session: AsyncSession, number: int) -> None:
    """Takes its time: longer than its test."""
    await outside(session, lambda: asyncio.sleep(60))
    await effect(session, number)


doors_open = asyncio.Event()


@actor("shop.wait")
async def wait(session: AsyncSession, number: int) -> None:
    """Waits outside until the doors open."""
    await outside(session, doors_open.wait)
    await effect(session, number)


@actor("shop.weigh")
async def weigh(
    session: AsyncSession, on: date, weight: Decimal, item: UUID, note: str = ""
) -> None:
    """Takes arguments of many types."""
    assert (type(on), type(weight), type(item)) == (date, Decimal, UUID)
    await effect(session, int(weight))


plugin = Plugin(
    name="shop",
    title="Shop",
    summary="Sells things.",
    version="1.0.0",
    core_versions=">=0",
    package="tests.workers.shop",
    actors=(
        sell,
        ship,
        haggle,
        announce,
        note,
        count_stock,
        refuse,
        abandon,
        dawdle,
        linger,
        wait,
        order,
        weigh,
        collapse,
    ),
    schedules=(Schedule(actor=count_stock, cron="30 2 * * *", spread=timedelta(0)),),
    listeners={Sold: (note,)},
)
