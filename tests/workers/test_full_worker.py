"""A worker process that one tenant has filled with jobs that take long."""

from __future__ import annotations

from pathlib import Path

from tests.workers import shop
from tests.workers.rig import Rig, eventually
from tests.workers.troupe import Troupe

UNDER_WAY = """
SELECT 1 FROM outbox.messages WHERE actor = 'shop.linger' AND attempt > 0 AND state = 'pending'
"""


async def test_anothers_first_job_waits_for_none_of_one_tenants_long_ones(
    rig: Rig, tmp_path: Path
) -> None:
    """Alone she has every thread; Bert's job is done before the first of hers is."""
    anna, bert, _ = rig.plan.tenants
    async with rig.databases.transaction(anna) as session:
        for number in range(20):
            await shop.linger.enqueue(session, number=number)
    (tmp_path / "plan.json").write_bytes(rig.plan.dump())
    company = Troupe(tmp_path, 0)

    async def full() -> bool:
        return len(await rig.fetch(UNDER_WAY)) == 8

    async def bert_is_served() -> bool:
        return bool(await rig.effects(bert))

    try:
        for role in ("worker", "relay"):
            company.start(role)
        await eventually(full, within=30)
        async with rig.databases.transaction(bert) as session:
            await shop.sell.enqueue(session, number=1)
        await eventually(bert_is_served, within=30)
        assert await rig.effects(anna) == []
        assert await full()
    finally:
        company.stop()
