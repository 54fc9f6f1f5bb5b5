"""Cards that a provider keeps for us, forgotten here with the person whose they are."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from core.payments.models import Payment


async def forget(session: AsyncSession, subject_type: str, subject_ids: Collection[UUID]) -> None:
    """Nothing can be asked again of the cards that these were paid with. What was paid, and the
    last digits on its receipt, stay; a refund still finds its way by the payment itself."""
    theirs = update(Payment).where(
        Payment.subject_type == subject_type, Payment.subject_id.in_(map(str, subject_ids))
    )
    silently = {"synchronize_session": False}
    await session.execute(
        theirs.values(customer_ref=None, method_ref=None), execution_options=silently
    )
