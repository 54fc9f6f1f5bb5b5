"""The jobs of payments."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.jobs import Schedule, actor
from core.payments.services import notices, reconcile


@actor("core.payments.reconcile", max_attempts=20)
async def find_out(session: AsyncSession, operation_id: UUID) -> None:
    """Find out how an operation ended whose answer did not come."""
    await reconcile.reconcile(session, operation_id)


@actor("core.payments.sync", max_attempts=12)
async def look_again(session: AsyncSession, payment_id: UUID) -> None:
    """Bring a payment up to date with what the provider shows."""
    await reconcile.sync(session, payment_id)


@actor("core.payments.release", max_attempts=20)
async def release(session: AsyncSession, payment_id: UUID) -> None:
    """Release a reservation that nobody wants any more."""
    await reconcile.release(session, payment_id)


@actor("core.payments.take_notice", max_attempts=12)
async def take_notice(session: AsyncSession, account_id: UUID, event_id: str) -> None:
    """Act upon a webhook."""
    await notices.take(session, account_id, event_id)


@actor("core.payments.sweep")
async def sweep(session: AsyncSession) -> None:
    """Look again at what should have moved, and forget what is old."""
    await reconcile.sweep(session)


ACTORS: Final = (find_out, look_again, release, take_notice, sweep)
SCHEDULES: Final = (Schedule(actor=sweep, cron="*/10 * * * *"),)
