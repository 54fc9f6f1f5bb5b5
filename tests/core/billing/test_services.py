"""Usage is counted once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import func, select

from core.billing import usage
from core.billing.models import UsageRecord
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
