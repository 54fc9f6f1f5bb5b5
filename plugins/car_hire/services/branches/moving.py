"""Where cars stand, as people say who see them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import NotFound
from core.i18n import _
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, Vehicle
from plugins.car_hire.services.branches import keeping
from plugins.car_hire.services.branches.whole import WHOLE
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.locking import lock_vehicle


async def seen_at(session: AsyncSession, vehicle_id: UUID, branch_id: UUID) -> Vehicle:
    """Note that a car stands at a branch, whatever the calendar says.

    Raises:
        NotFound: there is no such car.
        Invalid: there is no such branch.
        NotNow: the car is out with a customer.
    """
    await lock_vehicle(session, vehicle_id)
    found = await session.get(Vehicle, vehicle_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such vehicle"))
    branch = await keeping.chosen(session, branch_id, "branch_id")
    out = select(Booking.id).where(Booking.vehicle_id == vehicle_id, Booking.state == "out")
    if await session.scalar(out.execution_options(**WHOLE)) is not None:
        raise NotNow(_("The car is out with a customer. Take it back first"))
    edit(found, None)
    before, found.branch_id, found.branch_since = found.branch_id, branch.id, clock.now()
    await session.flush()
    await audit.record(
        session, "car_hire.vehicle_seen", "car_hire.vehicle", vehicle_id,
        {"branch_id": [before, branch.id]},
    )  # fmt: skip
    return found
