"""Which cars want service, by distance, days and hires since the last; planned and noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Date, Numeric, Select, and_, cast, func, or_, select, true
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import Invalid, NotFound
from core.i18n import _
from core.scope import Tenant
from plugins.car_hire.models import Block, Hire, ServiceInterval, ServiceRecord, Vehicle
from plugins.car_hire.schemas import BlockInput
from plugins.car_hire.schemas_vehicles import IntervalInput, ServiceInput
from plugins.car_hire.services import blocks, fleet, occupying
from plugins.car_hire.services.editing import edit

SHOWN: Final = 100
SOON: Final = 0.9
"""Which part of an interval may pass before the service is due."""
AHEAD: Final = 60
"""Days in which a time for service is looked for."""
OPENS: Final = time(9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A service of a car: what has passed since the last, and the ``share`` of the interval."""

    vehicle: Vehicle
    interval: ServiceInterval
    done_on: date | None
    km: int
    days: int
    hires: int
    share: float

    @property
    def is_due(self) -> bool:
        """Whether it should be planned."""
        return self.share >= SOON

    @property
    def is_overdue(self) -> bool:
        """Whether it should have been."""
        return self.share >= 1


async def due(session: AsyncSession, branch_id: UUID | None = None) -> list[Due]:
    """Services that are due or overdue, the latest first: one statement."""
    query, share = _query(session)
    query = query.where(share >= SOON).order_by(share.desc(), Vehicle.id).limit(SHOWN)
    if branch_id:
        query = query.where(Vehicle.branch_id == branch_id)
    return [_due(row) for row in (await session.execute(query)).all()]


async def of_vehicle(session: AsyncSession, vehicle_id: UUID) -> list[Due]:
    """Every service that a car wants, the most urgent first."""
    query, share = _query(session)
    query = query.where(Vehicle.id == vehicle_id).order_by(share.desc(), ServiceInterval.id)
    return [_due(row) for row in (await session.execute(query)).all()]


def _query(session: AsyncSession) -> tuple[Select[*tuple[Any, ...]], Any]:
    tenant: Tenant = session.info["tenant"]
    last = (
        select(ServiceRecord.done_on, ServiceRecord.odometer_km)
        .where(
            ServiceRecord.vehicle_id == Vehicle.id,
            ServiceRecord.interval_id == ServiceInterval.id,
        )
        .order_by(ServiceRecord.done_on.desc(), ServiceRecord.id.desc())
        .limit(1)
        .correlate(Vehicle, ServiceInterval)
        .lateral("last")
    )
    km = Vehicle.odometer_km - func.coalesce(last.c.odometer_km, 0)
    days = clock.today(tenant.zone) - func.coalesce(last.c.done_on, cast(Vehicle.created_at, Date))
    hires = (
        select(func.count())
        .where(
            Hire.vehicle_id == Vehicle.id,
            Hire.returned_at.is_not(None),
            or_(last.c.done_on.is_(None), Hire.returned_at >= last.c.done_on),
        )
        .correlate(Vehicle, last)
        .scalar_subquery()
    )
    share = func.greatest(
        cast(km, Numeric) / ServiceInterval.every_km,
        cast(days, Numeric) / ServiceInterval.every_days,
        cast(hires, Numeric) / ServiceInterval.every_hires,
    )
    fits = or_(ServiceInterval.class_id.is_(None), ServiceInterval.class_id == Vehicle.class_id)
    query = (
        select(Vehicle, ServiceInterval, last.c.done_on, km, days, hires, share)
        .select_from(Vehicle)
        .join(ServiceInterval, and_(ServiceInterval.in_use, fits))
        .outerjoin(last, true())
        .where(Vehicle.status != fleet.RETIRED)
    )
    return query, share


def _due(row: Any) -> Due:
    return Due(
        vehicle=row[0], interval=row[1], done_on=row[2], km=row[3], days=row[4], hires=row[5],
        share=float(row[6]),
    )  # fmt: skip


async def intervals(session: AsyncSession) -> Sequence[ServiceInterval]:
    """Every interval, those in use first."""
    query = select(ServiceInterval).order_by(ServiceInterval.in_use.desc(), ServiceInterval.name)
    return (await session.scalars(query.limit(SHOWN))).all()


async def interval(session: AsyncSession, interval_id: UUID) -> ServiceInterval:
    """One interval.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(ServiceInterval, interval_id)
    if found is None:
        raise NotFound(_("There is no such service"))
    return found


async def add(session: AsyncSession, given: IntervalInput) -> ServiceInterval:
    """Say what service cars want.

    Raises:
        Invalid: there is no such class.
    """
    await _check_class(session, given)
    made = ServiceInterval(**msgspec.structs.asdict(given))
    session.add(made)
    await session.flush()
    await audit.record(session, "car_hire.service_added", "car_hire.service", made.id)
    return made


async def change(
    session: AsyncSession, interval_id: UUID, given: IntervalInput, expected: int | None = None
) -> ServiceInterval:
    """Change what service cars want.

    Raises:
        NotFound: there is no such service.
        EditedMeanwhile: it changed since version ``expected``.
        Invalid: there is no such class.
    """
    await interval(session, interval_id)
    await _check_class(session, given)
    found = await session.get_one(
        ServiceInterval, interval_id, with_for_update=True, populate_existing=True
    )
    edit(found, expected)
    for field, value in msgspec.structs.asdict(given).items():
        setattr(found, field, value)
    await session.flush()
    await audit.record(session, "car_hire.service_changed", "car_hire.service", found.id)
    return found


async def _check_class(session: AsyncSession, given: IntervalInput) -> None:
    if given.class_id is not None:
        try:
            await fleet.vehicle_class(session, given.class_id)
        except NotFound:
            raise Invalid(_("Choose a class"), field="class_id") from None


async def done(
    session: AsyncSession, vehicle_id: UUID, interval_id: UUID, given: ServiceInput
) -> ServiceRecord:
    """A car had a service; what it wants next counts from here.

    Raises:
        NotFound: there is no such car or service.
        Invalid: the day is yet to come, or the odometer shows less.
    """
    tenant: Tenant = session.info["tenant"]
    car, kind = await fleet.vehicle(session, vehicle_id), await interval(session, interval_id)
    if given.done_on > clock.today(tenant.zone):
        raise Invalid(_("This day is yet to come"), field="done_on")
    if given.odometer_km > car.odometer_km:
        raise Invalid(_("The odometer shows less than this"), field="odometer_km")
    made = ServiceRecord(vehicle_id=car.id, interval_id=kind.id, **msgspec.structs.asdict(given))
    session.add(made)
    await session.flush()
    await audit.record(
        session, "car_hire.vehicle_serviced", "car_hire.vehicle", car.id,
        {"service": kind.name, "on": given.done_on.isoformat(), "odometer_km": given.odometer_km},
    )  # fmt: skip
    return made


async def plan(session: AsyncSession, vehicle_id: UUID, interval_id: UUID) -> Block:
    """Keep a car back for a service, on the first morning on which nothing is in the way.

    Raises:
        NotFound: there is no such car or service.
        Collision: there is none within two months; it says what is in the way.
    """
    tenant: Tenant = session.info["tenant"]
    car, kind = await fleet.vehicle(session, vehicle_id), await interval(session, interval_id)
    today = clock.today(tenant.zone)
    mornings = [_morning(tenant, today + timedelta(days=day)) for day in range(1, AHEAD + 1)]
    whole = Range(mornings[0], mornings[-1] + timedelta(hours=kind.hours), bounds="[)")
    taken = await occupying.in_the_way(session, [car.id], whole)
    for begins in mornings:
        stretch = Range(begins, begins + timedelta(hours=kind.hours), bounds="[)")
        if not any(each.period.overlaps(stretch) for each in taken):
            given = BlockInput(
                reason="maintenance", starts_at=begins, ends_at=stretch.upper or begins,
                notes=kind.name,
            )  # fmt: skip
            return await blocks.add(session, car.id, given)
    raise occupying.collision(taken)


def _morning(tenant: Tenant, day: date) -> datetime:
    return clock.from_wall(datetime.combine(day, OPENS), tenant.zone)
