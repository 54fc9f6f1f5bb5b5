"""A car leaves the fleet with all its history, and may come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import NotFound
from core.i18n import _
from core.quotas import give_back, take
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking, Vehicle
from plugins.car_hire.schemas_vehicles import RetirementInput
from plugins.car_hire.services import fleet, occupying
from plugins.car_hire.services.branches.whole import WHOLE
from plugins.car_hire.services.editing import edit, unique
from plugins.car_hire.services.locking import lock_vehicle
from plugins.car_hire.services.occupying import InTheWay

_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


async def ahead(session: AsyncSession, vehicle_id: UUID) -> Sequence[InTheWay]:
    """What a car is still promised for, or out on: that has to be dealt with first."""
    period = Range(clock.now(), _NEVER, bounds="[)")
    return await occupying.in_the_way(session, [vehicle_id], period)


async def retire(
    session: AsyncSession, vehicle_id: UUID, given: RetirementInput, expected: int | None = None
) -> Vehicle:
    """Take a car out of the fleet; its history stays.

    Raises:
        NotFound: there is no such car.
        NotNow: it is retired already.
        Collision: it is promised; it says for what.
        EditedMeanwhile: it changed since version ``expected``.
    """
    found = await _locked(session, vehicle_id)
    if found.status == fleet.RETIRED:
        raise NotNow
    out = select(Booking.id).where(Booking.vehicle_id == vehicle_id, Booking.state == "out")
    if await session.scalar(out.execution_options(**WHOLE)) is not None:
        raise NotNow(_("The car is out with a customer. Take it back first"))
    promised = await ahead(session, vehicle_id)
    if promised:
        raise occupying.collision(promised)
    edit(found, expected)
    found.status, found.retired_at, found.retired_why = fleet.RETIRED, clock.now(), given.reason
    await give_back(session, fleet.VEHICLES)
    await session.flush()
    await audit.record(
        session, "car_hire.vehicle_retired", "car_hire.vehicle", vehicle_id,
        {"plate": found.plate, "reason": given.reason},
    )  # fmt: skip
    return found


async def bring_back(session: AsyncSession, vehicle_id: UUID) -> Vehicle:
    """A retired car is in the fleet again.

    Raises:
        NotFound: there is no such car.
        NotNow: it is not retired.
        Invalid: another car has its plate now.
        QuotaExceeded: there is no room for it.
    """
    found = await _locked(session, vehicle_id)
    if found.status != fleet.RETIRED:
        raise NotNow
    await take(session, fleet.VEHICLES)
    edit(found, None)
    async with unique(session, fleet.VEHICLE_KEYS):
        found.status, found.retired_at, found.retired_why = "available", None, None
    await audit.record(
        session, "car_hire.vehicle_brought_back", "car_hire.vehicle", vehicle_id,
        {"plate": found.plate},
    )  # fmt: skip
    return found


async def _locked(session: AsyncSession, vehicle_id: UUID) -> Vehicle:
    await lock_vehicle(session, vehicle_id)
    found = await session.get(Vehicle, vehicle_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such vehicle"))
    return found
