"""Classes, and the cars of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, bindparam, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import Conflict, Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from core.quotas import Limit, give_back, take
from core.reads import Read
from core.scope import Tenant
from plugins.car_hire.models import Occupancy, Vehicle, VehicleClass
from plugins.car_hire.schemas import ClassInput, VehicleInput
from plugins.car_hire.services import checks
from plugins.car_hire.services.branches import keeping, reach
from plugins.car_hire.services.branches.whole import WHOLE
from plugins.car_hire.services.editing import Keys, edit, unique
from plugins.car_hire.services.locking import lock_vehicle
from plugins.car_hire.services.storefront import former

PAGE_SIZE = 50
RETIRED: Final = "retired"

_VEHICLES: Final = Vehicle.__table__.c
_FACTS: Final = Read(
    select(
        _VEHICLES.id,
        _VEHICLES.version,
        _VEHICLES.class_id,
        _VEHICLES.make,
        _VEHICLES.model,
        _VEHICLES.year,
        _VEHICLES.colour,
        _VEHICLES.plate,
        _VEHICLES.vin,
        _VEHICLES.odometer_km,
        _VEHICLES.fuel_eighths,
        _VEHICLES.status,
        _VEHICLES.home_branch_id,
        _VEHICLES.branch_id,
    ).where(_VEHICLES.id == bindparam("wanted"))
)

_CLASS_KEYS: Final[Keys] = {
    "uq_car_hire_classes_name": ("name", _("There is a class of this name")),
}
VEHICLE_KEYS: Final[Keys] = {
    "uq_car_hire_vehicles_plate": ("plate", _("Another car in service has this plate")),
    "uq_car_hire_vehicles_vin": ("vin", _("Another car has this VIN")),
}


async def in_service(session: AsyncSession) -> int:
    """How many cars there are that are not retired."""
    counted = select(func.count()).where(Vehicle.status != RETIRED)
    return await session.scalar(counted.execution_options(**WHOLE)) or 0


VEHICLES: Final = Limit(
    name="car_hire.vehicles",
    title=_("Vehicles in service"),
    allowed=1_000,
    count=in_service,
    remedy=_("Retire a car that has left the fleet, or ask us for more."),
)


class InUse(Conflict):
    """The car is promised to somebody, so this cannot change now."""

    code = "car_hire.in_use"
    title = _("This car has bookings ahead. Move or cancel them first")


async def classes(session: AsyncSession, *, on_offer: bool = False) -> Sequence[VehicleClass]:
    """Every class by name, or only those that customers may book: on offer, and with cars."""
    query = select(VehicleClass).order_by(func.lower(VehicleClass.name))
    if on_offer:
        has_cars = exists().where(Vehicle.class_id == VehicleClass.id, Vehicle.status != "retired")
        query = query.where(VehicleClass.on_offer, has_cars)
    return (await session.scalars(query)).all()


async def vehicle_class(session: AsyncSession, class_id: UUID) -> VehicleClass:
    """One class.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(VehicleClass, class_id)
    if found is None:
        raise NotFound(_("There is no such class"))
    return found


async def add_class(session: AsyncSession, given: ClassInput) -> VehicleClass:
    """Add a class; it can be hired once a published price list says what it costs.

    Raises:
        Invalid: naming the fields at fault.
    """
    tenant: Tenant = session.info["tenant"]
    made = VehicleClass(id=new_id(), currency=tenant.currency, **msgspec.structs.asdict(given))
    async with unique(session, _CLASS_KEYS):
        session.add(made)
    await audit.record(session, "car_hire.class_added", "car_hire.class", made.id)
    return made


async def change_class(
    session: AsyncSession, class_id: UUID, given: ClassInput, expected: int | None
) -> VehicleClass:
    """Change a class.

    Raises:
        EditedMeanwhile: it changed since version ``expected``.
        Invalid: naming the fields at fault.
    """
    found = await session.get(VehicleClass, class_id, with_for_update=True)
    if found is None:
        raise NotFound(_("There is no such class"))
    edit(found, expected)
    values = msgspec.structs.asdict(given)
    known = {each.id: each for each in (*await classes(session, on_offer=True), found)}
    async with former.kept(session, "class", known.values()), unique(session, _CLASS_KEYS):
        changed = _apply(found, values)
    await audit.record(session, "car_hire.class_changed", "car_hire.class", found.id, changed)
    return found


async def vehicles(
    session: AsyncSession,
    *,
    text: str = "",
    status: str = "",
    class_id: UUID | None = None,
    branch_id: UUID | None = None,
    after: UUID | None = None,
) -> Sequence[Row[Vehicle, str]]:
    """A page of vehicles with the name of their class, oldest first, one more than fits."""
    query = (
        select(Vehicle, VehicleClass.name)
        .join(VehicleClass, VehicleClass.id == Vehicle.class_id)
        .order_by(Vehicle.id)
        .limit(PAGE_SIZE + 1)
    )
    if text:
        query = query.where(
            or_(
                Vehicle.plate.contains("".join(text.split()).upper(), autoescape=True),
                func.lower(Vehicle.make + " " + Vehicle.model).contains(
                    text.lower(), autoescape=True
                ),
            )
        )
    if status:
        query = query.where(Vehicle.status == status)
    if class_id:
        query = query.where(Vehicle.class_id == class_id)
    if branch_id:
        query = query.where(Vehicle.branch_id == branch_id)
    if after:
        query = query.where(Vehicle.id > after)
    return (await session.execute(query)).all()


async def vehicle(session: AsyncSession, vehicle_id: UUID) -> Vehicle:
    """One car.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Vehicle, vehicle_id)
    if found is None:
        raise NotFound(_("There is no such vehicle"))
    return found


async def titles(session: AsyncSession, vehicle_ids: Collection[UUID]) -> dict[UUID, str]:
    """What people call these cars, by id."""
    found = await session.scalars(select(Vehicle).where(Vehicle.id.in_(vehicle_ids)))
    return {each.id: each.title for each in found}


async def vehicle_facts(session: AsyncSession, vehicle_id: UUID) -> dict[str, Any]:
    """One car as plain values, by one query of its columns: the hot read.

    Raises:
        NotFound: there is none.
    """
    found = await _FACTS.one_or_none(session, wanted=vehicle_id)
    if found is None:
        raise NotFound(_("There is no such vehicle"))
    if reach.may_be_bound():
        await vehicle(session, vehicle_id)
    return dict(found)


async def add_vehicle(session: AsyncSession, given: VehicleInput) -> Vehicle:
    """Add a car to the fleet.

    Raises:
        QuotaExceeded: there is no room for another one in service.
        Invalid: naming the fields at fault.
    """
    home = await keeping.chosen(session, given.home_branch_id, "home_branch_id")
    values = await _vehicle_values(session, given) | {"home_branch_id": home.id}
    made = Vehicle(id=new_id(), branch_id=home.id, **values)
    if made.status != RETIRED:
        await take(session, VEHICLES)
    async with unique(session, VEHICLE_KEYS):
        session.add(made)
    await audit.record(
        session, "car_hire.vehicle_added", "car_hire.vehicle", made.id, {"plate": made.plate}
    )
    return made


async def change_vehicle(
    session: AsyncSession, vehicle_id: UUID, given: VehicleInput, expected: int | None
) -> Vehicle:
    """Change a car.

    Raises:
        EditedMeanwhile: it changed since version ``expected``.
        InUse: it is promised, and its class or fitness may not change now.
        QuotaExceeded: it comes back into service, and there is no room for it.
        Invalid: naming the fields at fault.
    """
    await lock_vehicle(session, vehicle_id)
    found = await session.get(Vehicle, vehicle_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such vehicle"))
    edit(found, expected)
    values = await _vehicle_values(session, given)
    if given.home_branch_id not in {None, found.home_branch_id}:
        await keeping.chosen(session, given.home_branch_id, "home_branch_id")
    values["home_branch_id"] = given.home_branch_id or found.home_branch_id
    leaves = values["status"] == RETIRED and found.status != RETIRED
    returns = values["status"] != RETIRED and found.status == RETIRED
    if (leaves or values["class_id"] != found.class_id) and await _promised(session, vehicle_id):
        raise InUse
    if values["odometer_km"] < found.odometer_km:
        raise Invalid(_("An odometer does not run backwards"), field="odometer_km")
    if returns:
        await take(session, VEHICLES)
    elif leaves:
        await give_back(session, VEHICLES)
    if leaves or returns:
        found.retired_at, found.retired_why = (clock.now() if leaves else None), None
    async with unique(session, VEHICLE_KEYS):
        changed = _apply(found, values)
    await audit.record(session, "car_hire.vehicle_changed", "car_hire.vehicle", found.id, changed)
    return found


async def _vehicle_values(session: AsyncSession, given: VehicleInput) -> dict[str, Any]:
    if await session.get(VehicleClass, given.class_id) is None:
        raise Invalid(_("Choose a class"), field="class_id")
    values = {field: getattr(given, field) for field in given.__struct_fields__}
    values["plate"] = checks.normal_plate(given.plate)
    values["vin"] = checks.normal_vin(given.vin) if given.vin.strip() else None
    return values


async def _promised(session: AsyncSession, vehicle_id: UUID) -> bool:
    found = select(Occupancy.id).where(
        Occupancy.vehicle_id == vehicle_id, Occupancy.booking_id.is_not(None)
    )
    return await session.scalar(found.limit(1)) is not None


def _apply(row: object, values: dict[str, Any]) -> dict[str, Any]:
    """Set ``values`` on ``row``; what changed, old and new, for the audit log."""
    changed: dict[str, Any] = {}
    for field, value in values.items():
        before = getattr(row, field)
        if before != value:
            changed[field] = [before, value]
            setattr(row, field, value)
    return changed
