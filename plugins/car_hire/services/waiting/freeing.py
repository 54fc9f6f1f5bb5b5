"""A car of a class may have got free: whoever waits for one is looked after in a job."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import jobs
from plugins.car_hire.models import Vehicle, Wait
from plugins.car_hire.services.branches.whole import WHOLE

SERVE: Final = "car_hire.serve_waiting"
LAPSE: Final = "car_hire.offer_lapses"


async def freed(session: AsyncSession, class_id: UUID) -> None:
    """Have the waiting list of a class looked at, if anybody is on it."""
    waiting = select(Wait.id).where(Wait.class_id == class_id, Wait.state == "waiting").limit(1)
    with session.no_autoflush:  # whoever tells is in the middle of changing other rows
        if await session.scalar(waiting.execution_options(**WHOLE)) is not None:
            await jobs.put(session, SERVE, {"class_id": class_id})


async def freed_vehicle(session: AsyncSession, vehicle_id: UUID) -> None:
    """The same, of a car."""
    found = await session.scalar(select(Vehicle.class_id).where(Vehicle.id == vehicle_id))
    if found is not None:
        await freed(session, found)
