"""The relay between two databases and Redis, both of which come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from dramatiq import Message
from redis.asyncio import Redis

from core.dead_letters import DeadLetters
from core.scope import Tenant
from tests.workers import shop
from tests.workers.rig import Rig, eventually
from workers.backoff import Backoff
from workers.broker import make_broker
from workers.relay import Pace, Relay
from workers.runtime import Runtime

PACE = Pace(
    poll=timedelta(milliseconds=50),
    again=timedelta(milliseconds=300),
    longest=timedelta(seconds=1),
    hold=timedelta(milliseconds=200),
    databases=timedelta(milliseconds=100),
    purge=timedelta(milliseconds=100),
)


@pytest.fixture
async def doorbell(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as redis:
        await redis.flushdb()
        yield redis
        await redis.flushdb()


@asynccontextmanager
async def relaying(rig: Rig, pace: Pace = PACE, redis_url: str = "") -> AsyncIterator[Relay]:
    relay = Relay(
        databases=rig.plan,
        directory=rig.directory,
        registry=rig.plan.registry,
        broker=make_broker(redis_url or rig.plan.redis_url),
        pace=pace,
    )
    running = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        running.cancel()
        await asyncio.wait([running])


async def rung(redis: Redis, queue: str = "default") -> list[tuple[UUID, UUID, str]]:
    """What waits in a queue: message, tenant, actor."""
    waiting = await redis.hgetall(f"atrium:{queue}.msgs")
    calls = [Message.decode(each).args for each in waiting.values()]
    return [(UUID(message), UUID(tenant), actor) for message, tenant, actor, _ in calls]


def rings(redis: Redis, count: int, queue: str = "default") -> Callable[[], object]:
    async def enough() -> bool:
        return len(await rung(redis, queue)) >= count

    return enough


async def sell(rig: Rig, *tenants: Tenant) -> None:
    for tenant in tenants:
        async with rig.databases.transaction(tenant) as session:
            await shop.sell.enqueue(session, number=1)


async def test_messages_of_every_database_are_rung_for_in_their_queues(
    rig: Rig, doorbell: Redis
) -> None:
    """Only ids travel: what a message says stays in its database."""
    async with relaying(rig):
        await sell(rig, *rig.plan.tenants)
        async with rig.databases.transaction(rig.plan.tenants[0]) as session:
            await shop.announce.enqueue(session, number=424242)
        await eventually(rings(doorbell, 3))
        await eventually(rings(doorbell, 1, "loud"))
    found = await rung(doorbell)
    assert {tenant for _, tenant, _ in found} == {each.id for each in rig.plan.tenants}
    assert "424242" not in str(await doorbell.hgetall("atrium:loud.msgs"))


async def test_a_hint_is_faster_than_the_poll(rig: Rig, doorbell: Redis) -> None:
    """With a poll of a minute, a message still goes out at once."""
    async with relaying(rig, replace(PACE, poll=timedelta(minutes=1))):
        await asyncio.sleep(1)
        await sell(rig, rig.plan.tenants[0])
        await eventually(rings(doorbell, 1), within=3)


async def test_what_stays_unfinished_is_rung_for_again_at_growing_intervals(
    rig: Rig, doorbell: Redis
) -> None:
    """Redis forgot, or the worker died: the message is still there."""
    async with relaying(rig):
        await sell(rig, rig.plan.tenants[0])
        await eventually(rings(doorbell, 1))
        await doorbell.flushdb()
        await eventually(rings(doorbell, 1))
        await asyncio.sleep(2)
    row = await rig.message("shop.sell")
    assert 3 <= row["sends"] <= 6  # 0.3, 0.6, then every 1.0 s
    assert row["attempt"] == 0


async def test_a_message_waits_until_it_is_due(rig: Rig, doorbell: Redis) -> None:
    """Not a moment earlier, and not long after."""
    async with relaying(rig):
        async with rig.databases.transaction(rig.plan.tenants[0]) as session:
            due = (await session.execute(shop.IN_A_SECOND)).scalar_one()
            await shop.sell.enqueue(session, number=1, due_at=due)
        await asyncio.sleep(0.6)
        assert await rung(doorbell) == []
        await eventually(rings(doorbell, 1), within=3)


async def test_a_suspended_tenants_message_is_held_and_goes_out_afterwards(
    rig: Rig, doorbell: Redis
) -> None:
    """Holding is no attempt; nor is waiting for a plugin to be switched on again."""
    tenant = rig.plan.tenants[0]
    rig.directory.change(tenant, status="suspended")
    async with relaying(rig):
        await sell(rig, tenant)
        await asyncio.sleep(0.5)
        assert await rung(doorbell) == []
        rig.directory.change(tenant, plugins=frozenset())
        await asyncio.sleep(0.5)
        assert await rung(doorbell) == []
        rig.directory.change(tenant)
        await eventually(rings(doorbell, 1))
    assert (await rig.message("shop.sell"))["attempt"] == 0


async def test_what_was_held_goes_out_at_once_when_the_tenant_changes(
    rig: Rig, doorbell: Redis
) -> None:
    """The relay hears that something changed; without that, a held message waits its pause."""
    tenant = rig.plan.tenants[0]
    rig.directory.change(tenant, status="suspended")
    pause = timedelta(minutes=5)
    async with relaying(rig, replace(PACE, hold=pause, longest=pause)) as relay:
        await sell(rig, tenant)
        await asyncio.sleep(1)
        rig.directory.change(tenant)
        await asyncio.sleep(1)
        assert await rung(doorbell) == []
        relay.changed(str(tenant.id))
        await eventually(rings(doorbell, 1), within=2)


@pytest.mark.parametrize("how", ["removed", "deleting"])
async def test_a_gone_tenants_message_is_discarded(rig: Rig, doorbell: Redis, how: str) -> None:
    """It is not delivered, and forgets what it said."""
    tenant = rig.plan.tenants[0]
    if how == "deleting":
        rig.directory.change(tenant, status="deleting")
    else:
        del rig.directory.tenants[tenant.id]
    async with relaying(rig):
        async with rig.databases.transaction(tenant) as session:
            await shop.sell.enqueue(session, number=1)

        async def discarded() -> bool:
            return (await rig.message("shop.sell"))["state"] == "discarded"

        await eventually(discarded)
    assert await rung(doorbell) == []
    assert (await rig.message("shop.sell"))["args"] == "{}"


async def test_without_redis_nothing_is_lost(rig: Rig, doorbell: Redis) -> None:
    """The claim is taken back, so that the message goes out as soon as Redis is there."""
    async with relaying(rig, redis_url="redis://127.0.0.1:1/0"):
        await sell(rig, rig.plan.tenants[0])
        await asyncio.sleep(1)
    assert (await rig.message("shop.sell"))["sends"] <= 1
    async with relaying(rig):
        await eventually(rings(doorbell, 1))


async def test_one_tenants_hundred_jobs_leave_room_for_the_others(
    rig: Rig, doorbell: Redis
) -> None:
    """Alone she has eight with the workers; with each that ends another goes out, until Bert
    comes: his goes out at once, and she has half as long as his is with the workers."""
    anna, bert, _ = rig.plan.tenants
    runtime = Runtime(databases=rig.databases, directory=rig.directory, registry=rig.plan.registry)
    async with rig.databases.transaction(anna) as session:
        for number in range(100):
            await shop.ship.enqueue(session, number=number)
    long = timedelta(seconds=30)
    async with relaying(rig, replace(PACE, again=long, longest=long)):
        await eventually(rings(doorbell, 8))
        await asyncio.sleep(0.2)
        first = await rung(doorbell)
        assert len(first) == 8
        await runtime.deliver(first[0][0], anna.id, "shop.ship", "")
        await eventually(rings(doorbell, 9))
        await sell(rig, bert)
        await eventually(rings(doorbell, 10), within=0.45)
        for message, *_ in first[1:5]:
            await runtime.deliver(message, anna.id, "shop.ship", "")
        await asyncio.sleep(1.2)  # longer than who has asked for something is remembered
        assert {tenant for _, tenant, _ in await rung(doorbell)} == {anna.id, bert.id}
        assert len(await rung(doorbell)) == 10
        await runtime.deliver(first[5][0], anna.id, "shop.ship", "")
        await eventually(rings(doorbell, 11))


async def test_tenants_are_rung_for_in_turn(rig: Rig, doorbell: Redis) -> None:
    """Whoever has fewest with the workers comes first; Bert asked after all of hers."""
    anna, bert, _ = rig.plan.tenants
    await sell(rig, *[anna] * 6, bert, bert)
    async with relaying(rig):
        await eventually(rings(doorbell, 6))
    order = await doorbell.lrange("atrium:default", 0, -1)
    calls = await doorbell.hmget("atrium:default.msgs", order)
    tenants = [Message.decode(each).args[1] for each in calls]
    assert tenants == [str(each.id) for each in (anna, bert, anna, bert, anna, anna)]


async def test_messages_that_no_worker_took_count_against_nobody_for_long(
    rig: Rig, doorbell: Redis
) -> None:
    """Redis lost eight: after the time in which they are rung for again, others go out too."""
    anna = rig.plan.tenants[0]
    async with rig.databases.transaction(anna) as session:
        for number in range(20):
            await shop.sell.enqueue(session, number=number)
    async with relaying(rig):
        for _ in range(3):
            await eventually(rings(doorbell, 8))
            await doorbell.flushdb()

        async def all_sent() -> bool:
            return not await rig.fetch("SELECT 1 FROM outbox.messages WHERE sends = 0")

        await eventually(all_sent)


async def test_a_relay_whose_connections_are_cut_comes_back(rig: Rig, doorbell: Redis) -> None:
    """As after a restart of PostgreSQL."""
    async with relaying(rig):
        await sell(rig, rig.plan.tenants[0])
        await eventually(rings(doorbell, 1))
        await doorbell.flushdb()
        await rig.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'atrium_relay' AND datname = current_database()"
        )
        await sell(rig, *rig.plan.tenants[1:])
        await eventually(rings(doorbell, 2))


async def test_finished_messages_are_forgotten_in_time(rig: Rig, doorbell: Redis) -> None:
    """With them goes the key that made them once; dead letters stay."""
    await sell(rig, *rig.plan.tenants)
    await rig.execute(
        "UPDATE outbox.messages SET state = 'done', finished_at = now() - interval '31 days'"
    )
    await sell(rig, rig.plan.tenants[0])
    await rig.execute(
        "UPDATE outbox.messages SET state = 'dead', finished_at = now() - interval '31 days'"
        " WHERE state = 'pending'"
    )
    async with relaying(rig):

        async def forgotten() -> bool:
            return len(await rig.fetch("SELECT 1 FROM outbox.messages")) == 1

        await eventually(forgotten)


async def test_an_operator_sees_retries_and_discards_dead_letters(rig: Rig) -> None:
    """In every database; retried, a job has all its attempts again."""
    runtime = Runtime(
        databases=rig.databases,
        directory=rig.directory,
        registry=rig.plan.registry,
        backoff=Backoff(first=timedelta(0)),
    )
    letters = DeadLetters(rig.plan)
    anna, _, dora = rig.plan.tenants
    for tenant in (anna, dora):
        async with rig.databases.transaction(tenant) as session:
            await shop.abandon.enqueue(session, number=1)
        row = await rig.message("shop.abandon")
        await runtime.deliver(row["id"], tenant.id, "shop.abandon", "")
    newest, oldest = await letters.latest()
    assert (newest.tenant, oldest.tenant) == (dora.id, anna.id)
    assert newest.error == "GiveUp: no such shelf"
    assert [each.id for each in await letters.latest(tenant=anna.id)] == [oldest.id]
    assert await letters.retry(newest.id)
    assert not await letters.retry(newest.id)
    assert await letters.discard(oldest.id)
    assert await letters.latest() == []
    states = {row["state"] for row in await rig.fetch("SELECT state FROM outbox.messages")}
    assert states == {"pending", "discarded"}
