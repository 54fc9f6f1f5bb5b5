"""The pattern for what cannot be undone: intent, call, outcome; unknown is found out."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import timedelta

from sqlalchemy import text

from core.ids import new_id
from tests.workers import shop
from tests.workers.rig import Rig
from tests.workers.vendor import Vendor
from workers.backoff import Backoff
from workers.runtime import Runtime

_PENDING = """
SELECT id, tenant FROM outbox.messages
WHERE state = 'pending' AND (leased_until IS NULL OR leased_until < clock_timestamp())
"""


_UNFINISHED = "SELECT 1 FROM outbox.messages WHERE state = 'pending'"


async def test_a_vendor_that_loses_answers_is_asked_and_delivers_once(rig: Rig) -> None:
    """Workers are cancelled at any point as well; each order is delivered once, none is lost."""
    runtime = Runtime(
        databases=rig.databases,
        directory=rig.directory,
        registry=rig.plan.registry,
        backoff=Backoff(first=timedelta(0)),
        lease=timedelta(seconds=1),
    )
    async with Vendor().open() as vendor:
        for tenant in rig.plan.tenants:
            async with rig.databases.transaction(tenant) as session:
                for _ in range(8):
                    await shop.order.enqueue(session, order_id=new_id(), port=vendor.port)
        async with asyncio.timeout(60):
            for turn in itertools.count():
                pending = await rig.fetch(_PENDING)
                if not pending and not await rig.fetch(_UNFINISHED):
                    break
                ringing = [
                    asyncio.create_task(runtime.deliver(row["id"], row["tenant"], "shop.order", ""))
                    for row in pending
                ]
                await asyncio.sleep(random.random() * 0.2)
                if turn < 4:
                    for each in random.sample(ringing, len(ringing) // 4):
                        each.cancel()  # as when its worker is killed
                await asyncio.gather(*ringing, return_exceptions=True)
        assert set(vendor.delivered.values()) == {1}
        assert len(vendor.delivered) == 8 * len(rig.plan.tenants)
    for tenant in rig.plan.tenants:
        async with rig.databases.transaction(tenant) as session:
            states = await session.scalars(text("SELECT state FROM orders"))
            assert list(states) == ["done"] * 8
    assert not await rig.fetch("SELECT 1 FROM outbox.messages WHERE state = 'dead'")
