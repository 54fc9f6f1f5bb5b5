"""One message, one attempt, one transaction: pooled and dedicated alike."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import structlog

from core.ids import new_id
from core.jobs import Actor
from core.scope import Tenant
from tests.workers import shop
from tests.workers.rig import Rig
from workers.backoff import Backoff
from workers.runtime import Runtime

AT_ONCE = Backoff(first=timedelta(0), longest=timedelta(0))


@pytest.fixture
def runtime(rig: Rig) -> Runtime:
    return Runtime(
        databases=rig.databases,
        directory=rig.directory,
        registry=rig.plan.registry,
        backoff=AT_ONCE,
    )


@pytest.fixture(params=["anna", "dora"], ids=["pooled", "dedicated"])
def tenant(rig: Rig, request: pytest.FixtureRequest) -> Tenant:
    return next(each for each in rig.plan.tenants if each.slug == request.param)


async def ask(rig: Rig, tenant: Tenant, actor: Actor, **args: object) -> UUID:
    """Enqueue and give the message's id."""
    async with rig.databases.transaction(tenant) as session:
        await actor.enqueue(session, **args)
    message: UUID = (await rig.message(actor.name))["id"]
    return message


async def test_a_job_runs_once_however_often_it_is_delivered(
    rig: Rig, runtime: Runtime, tenant: Tenant
) -> None:
    """Ten deliveries, some at once and some after another, have one effect."""
    message = await ask(rig, tenant, shop.sell, number=7)
    for _ in range(2):
        await asyncio.gather(
            *(runtime.deliver(message, tenant.id, "shop.sell", "") for _ in range(5))
        )
    assert await rig.effects(tenant) == [("shop.sell", 7)]


async def test_a_request_that_is_undone_asks_for_nothing(rig: Rig, tenant: Tenant) -> None:
    """The job exists if and only if the transaction that asked for it committed."""
    with suppress(ConnectionAbortedError):
        async with rig.databases.transaction(tenant) as session:
            await shop.sell.enqueue(session, number=1)
            raise ConnectionAbortedError
    assert await rig.fetch("SELECT 1 FROM outbox.messages") == []


async def test_a_failed_attempt_leaves_nothing_and_the_next_may_succeed(
    rig: Rig, runtime: Runtime, tenant: Tenant
) -> None:
    """What a body did before it failed is undone; the failure is counted all the same."""
    message = await ask(rig, tenant, shop.haggle, number=3)
    while (await rig.message("shop.haggle"))["state"] == "pending":
        await runtime.deliver(message, tenant.id, "shop.haggle", "")
    assert await rig.effects(tenant) == [("shop.haggle", 3)]


async def test_after_the_last_attempt_it_is_a_dead_letter_that_names_nobody(
    rig: Rig, runtime: Runtime, tenant: Tenant
) -> None:
    """The type of the failure is kept; the person in its message is not."""
    message = await ask(rig, tenant, shop.refuse, number=3)
    for _ in range(3):
        await runtime.deliver(message, tenant.id, "shop.refuse", "")
    row = await rig.message("shop.refuse")
    assert (row["state"], row["attempt"]) == ("dead", 2)
    assert row["error"] == "OutOfStock: [e-mail] wanted it"
    assert await rig.effects(tenant) == []


async def test_what_cannot_be_mended_is_not_tried_again(
    rig: Rig, runtime: Runtime, tenant: Tenant
) -> None:
    """A body that gives up, and arguments it cannot read, are dead at the first attempt."""
    given_up = await ask(rig, tenant, shop.abandon, number=1)
    await runtime.deliver(given_up, tenant.id, "shop.abandon", "")
    row = await rig.message("shop.abandon")
    assert (row["state"], row["error"]) == ("dead", "GiveUp: no such shelf")
    unreadable = await ask(rig, tenant, shop.sell, number="many")
    await runtime.deliver(unreadable, tenant.id, "shop.sell", "")
    row = await rig.message("shop.sell")
    assert row["state"] == "dead"
    assert "ValidationError" in row["error"]


async def test_a_job_that_takes_too_long_is_cancelled_and_undone(
    rig: Rig, runtime: Runtime, tenant: Tenant
) -> None:
    """The time limit of the actor bounds one attempt."""
    message = await ask(rig, tenant, shop.dawdle, number=1)
    await asyncio.wait_for(runtime.deliver(message, tenant.id, "shop.dawdle", ""), 5)
    assert (await rig.message("shop.dawdle"))["error"] == "TimeoutError: the time limit of the job"
    assert await rig.effects(tenant) == []


async def test_arguments_come_back_as_the_types_of_the_body(
    rig: Rig, runtime: Runtime, tenant: Tenant
) -> None:
    """Dates, decimals and ids survive the way through JSON."""
    message = await ask(
        rig, tenant, shop.weigh, on=date(2026, 2, 28), weight=Decimal("12.50"), item=new_id()
    )
    await runtime.deliver(message, tenant.id, "shop.weigh", "")
    assert await rig.effects(tenant) == [("shop.weigh", 12)]


async def test_a_suspended_tenants_job_waits_and_is_not_counted(
    rig: Rig, runtime: Runtime, tenant: Tenant
) -> None:
    """Nor does a job run whose plugin was switched off; both run once that is over."""
    message = await ask(rig, tenant, shop.sell, number=1)
    changes: tuple[dict[str, Any], ...] = (
        {"status": "suspended"},
        {"status": "updating"},
        {"plugins": frozenset()},
    )
    for change in changes:
        rig.directory.change(tenant, **change)
        await runtime.deliver(message, tenant.id, "shop.sell", "")
        row = await rig.message("shop.sell")
        assert (row["state"], row["attempt"]) == ("pending", 0)
    rig.directory.change(tenant)
    await runtime.deliver(message, tenant.id, "shop.sell", "")
    assert await rig.effects(tenant) == [("shop.sell", 1)]


async def test_a_message_runs_as_the_actor_it_was_put_for(
    rig: Rig, runtime: Runtime, tenant: Tenant
) -> None:
    """A forged doorbell can neither name another actor nor another tenant."""
    message = await ask(rig, tenant, shop.sell, number=1)
    other = next(each for each in rig.plan.tenants if each.id != tenant.id)
    await runtime.deliver(message, tenant.id, "shop.ship", "")
    await runtime.deliver(message, other.id, "shop.sell", "")
    assert await rig.effects(tenant) == await rig.effects(other) == []
    assert (await rig.message("shop.sell"))["attempt"] == 0


async def test_a_key_asks_once(rig: Rig, tenant: Tenant) -> None:
    """The second request with a key is ignored, and told so."""
    async with rig.databases.transaction(tenant) as session:
        assert await shop.sell.enqueue(session, key="order-1", number=1)
        assert not await shop.sell.enqueue(session, key="order-1", number=1)


async def test_every_line_of_a_job_bears_tenant_job_and_attempt(
    rig: Rig, runtime: Runtime, tenant: Tenant
) -> None:
    """An operator finds the lines of one job among a thousand others."""
    message = await ask(rig, tenant, shop.sell, number=1)
    with structlog.testing.capture_logs(
        processors=[structlog.contextvars.merge_contextvars]
    ) as lines:
        await runtime.deliver(message, tenant.id, "shop.sell", "")
    (line,) = [each for each in lines if each["event"] == "job.done"]
    assert line["tenant"] == str(tenant.id)
    assert (line["job"], line["actor"], line["attempt"]) == (str(message), "shop.sell", 1)


def test_pauses_grow_to_a_limit_and_differ() -> None:
    """Full jitter: no two of many jobs that failed together come back together."""
    backoff = Backoff(first=timedelta(seconds=4), longest=timedelta(minutes=15))
    assert [backoff.limit(n).total_seconds() for n in (1, 2, 3, 9, 80)] == [4, 8, 16, 900, 900]
    pauses = {backoff.pause(5) for _ in range(100)}
    assert len(pauses) > 90
    assert max(pauses) <= timedelta(seconds=64)


async def test_who_lost_the_lease_has_done_nothing(
    rig: Rig, runtime: Runtime, tenant: Tenant
) -> None:
    """Another worker began meanwhile: what this one did is undone, and the message is not its
    to end."""
    message = await ask(rig, tenant, shop.wait, number=1)
    worker = asyncio.create_task(runtime.deliver(message, tenant.id, "shop.wait", ""))
    while not (await rig.message("shop.wait"))["attempt"]:  # noqa: ASYNC110  # the row tells
        await asyncio.sleep(0.01)
    await rig.execute("UPDATE outbox.messages SET attempt = 2")
    shop.doors_open.set()
    await worker
    shop.doors_open.clear()
    assert (await rig.message("shop.wait"))["state"] == "pending"
    assert await rig.effects(tenant) == []


async def test_a_long_job_keeps_its_lease_and_a_dead_one_loses_it(
    rig: Rig, runtime: Runtime, tenant: Tenant
) -> None:
    """Past its lease a job that lives is not begun again; once its worker is gone, it is."""
    runtime = replace(runtime, lease=timedelta(milliseconds=300))
    message = await ask(rig, tenant, shop.wait, number=1)
    worker = asyncio.create_task(runtime.deliver(message, tenant.id, "shop.wait", ""))
    await asyncio.sleep(1)
    await runtime.deliver(message, tenant.id, "shop.wait", "")
    assert (await rig.message("shop.wait"))["attempt"] == 1
    worker.cancel()
    await asyncio.wait([worker])
    await asyncio.sleep(0.4)
    shop.doors_open.set()
    await runtime.deliver(message, tenant.id, "shop.wait", "")
    assert (await rig.message("shop.wait"))["state"] == "done"
    assert await rig.effects(tenant) == [("shop.wait", 1)]
    shop.doors_open.clear()
