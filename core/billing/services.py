"""Count usage once."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.billing.models import UsageRecord
from core.ids import new_id


async def record_usage(
    session: AsyncSession, meter: str, quantity: Decimal | int, key: str
) -> bool:
    """Count ``quantity`` of a plugin's ``meter``; False if ``key`` was counted before."""
    written = await session.scalar(
        insert(UsageRecord)
        .values(id=new_id(), meter=meter, quantity=Decimal(quantity), key=key)
        .on_conflict_do_nothing(index_elements=["meter", "key"])
        .returning(UsageRecord.id)
    )
    return written is not None
