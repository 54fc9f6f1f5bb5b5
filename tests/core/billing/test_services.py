"""Usage is counted once, and limits hold also when two ask at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select, update

from core import clock
from core.billing import limits, usage
from core.billing.limits import LimitReached
from core.billing.models import UsageLimit, UsageRecord
from core.billing.services import month_start
from tests.core.conftest import CoreScopes


async def test_a_key_counts_once_however_often_it_comes(scopes: CoreScopes) -> None:
    """Repeated and concurrent deliveries of one fact are one record."""
    meter = f"test.{uuid4().hex}"

    async def count() -> bool:
        async with scopes.databases.transaction(scopes.acme) as session:
            return await usage.record(session, meter, Decimal("1.5"), "hire 7")

    assert sorted(await asyncio.gather(*(count() for _ in range(6)))) == [False] * 5 + [True]
    async with scopes.databases.transaction(scopes.acme) as session:
        assert await usage.record(session, meter, 2, "hire 8")
        total = select(func.sum(UsageRecord.quantity)).where(UsageRecord.meter == meter)
        assert await session.scalar(total) == Decimal("3.5")


async def test_without_a_limit_there_is_always_room(scopes: CoreScopes) -> None:
    """A meter that the plan does not mention is not limited."""
    async with scopes.databases.transaction(scopes.acme) as session:
        await limits.check(session, "test.unlimited", 1_000_000)


async def test_a_limit_is_reached_exactly(scopes: CoreScopes) -> None:
    """The last one fits; the next is refused by name."""
    meter = f"test.{uuid4().hex}"
    async with scopes.databases.transaction(scopes.delta) as session:
        await session.execute(insert(UsageLimit).values(meter=meter, quantity=3, period="ever"))
        await usage.record(session, meter, 2, "a")
        await limits.check(session, meter, 1)
        assert not await limits.has_room(session, meter, Decimal("1.000001"))
        await usage.record(session, meter, 1, "b")
        with pytest.raises(LimitReached):
            await limits.check(session, meter)


async def test_a_monthly_limit_forgets_last_month(scopes: CoreScopes) -> None:
    """What was used before this month's first moment does not count."""
    meter = f"test.{uuid4().hex}"
    async with scopes.databases.transaction(scopes.acme) as session:
        await session.execute(insert(UsageLimit).values(meter=meter, quantity=1, period="month"))
        await usage.record(session, meter, 1, "a")
        assert not await limits.has_room(session, meter)
        last_month = month_start(clock.now(), "UTC") - timedelta(seconds=1)
        mine = UsageRecord.meter == meter
        await session.execute(update(UsageRecord).where(mine).values(recorded_at=last_month))
        assert await limits.has_room(session, meter)


async def test_two_who_take_the_last_piece_do_not_both_get_it(scopes: CoreScopes) -> None:
    """The check holds the limit's row until the transaction that counts has ended."""
    meter = f"test.{uuid4().hex}"
    async with scopes.databases.transaction(scopes.acme) as session:
        await session.execute(insert(UsageLimit).values(meter=meter, quantity=3, period="ever"))

    async def take(key: str) -> bool:
        async with scopes.databases.transaction(scopes.acme) as session:
            if not await limits.has_room(session, meter):
                return False
            await asyncio.sleep(0.02)
            return await usage.record(session, meter, 1, key)

    taken = await asyncio.gather(*(take(str(number)) for number in range(7)))
    assert taken.count(True) == 3


def test_a_month_begins_where_the_tenant_is() -> None:
    """Across a change of clocks: March in Lisbon begins at 00:00 UTC, April at 23:00 before."""
    march = month_start(datetime(2026, 3, 31, 22, 30, tzinfo=UTC), "Europe/Lisbon")
    april = month_start(datetime(2026, 3, 31, 23, 30, tzinfo=UTC), "Europe/Lisbon")
    assert march == datetime(2026, 3, 1, tzinfo=UTC)
    assert april == datetime(2026, 3, 31, 23, tzinfo=UTC)
