"""A part of car hire's page of a booking."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import plugin_settings
from core.plugin import Slot
from weekend_rates.settings import Choices


async def surcharge(session: AsyncSession, booking_id: UUID) -> dict[str, Any]:
    """What the desk may tell a customer who asks."""
    chosen = await plugin_settings.read(session, "weekend_rates", Choices)
    return {"percent": chosen.percent}


SLOTS = (Slot(name="car_hire.booking", template="weekend_rates/surcharge.html", fill=surcharge),)
