"""What a car is promised for where it will not be, if it goes elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import gettext
from plugins.car_hire.models import Block, Booking, Occupancy
from plugins.car_hire.services.branches.whereabouts import Elsewhere
from plugins.car_hire.services.occupying import InTheWay

LOOKED_AT: Final = 200
"""Of what a car is promised for; two years of hires of three days each are hardly more."""


async def elsewhere(
    session: AsyncSession, vehicle_id: UUID, after: datetime, branch_id: UUID
) -> Sequence[InTheWay]:
    """What would find a car gone that is at ``branch_id`` from ``after`` on, the earliest first.

    Beyond the first journey to another branch the car is where it was to be anyway.
    """
    begins = func.lower(Occupancy.period)
    query = (
        select(Occupancy, Booking, Block)
        .outerjoin(Booking, Booking.id == Occupancy.booking_id)
        .outerjoin(Block, Block.id == Occupancy.block_id)
        .where(
            Occupancy.vehicle_id == vehicle_id,
            Occupancy.from_branch_id.is_not(None),
            begins >= after,
        )
        .order_by(begins)
        .limit(LOOKED_AT)
    )
    found = []
    for row, booking, block in (await session.execute(query)).all():
        if row.from_branch_id != branch_id:
            found.append(
                InTheWay(
                    reason_id=row.id, vehicle_id=vehicle_id, period=row.period,
                    booking=booking, block=block,
                )
            )  # fmt: skip
        if row.from_branch_id != row.to_branch_id:
            break
    return found


def gone(found: Sequence[InTheWay]) -> Elsewhere:
    """A refusal that says who would find the car gone."""
    names = ", ".join(each.name for each in found)
    return Elsewhere(gettext("They would find the car gone: %(what)s") % {"what": names}, found)
