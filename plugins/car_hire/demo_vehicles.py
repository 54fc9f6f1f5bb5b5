"""The demonstration's papers and photos of cars, and what customers see of each class."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.scope import Tenant
from core.storage import services as storage
from plugins.car_hire import demo_photos
from plugins.car_hire.models import Vehicle, VehicleClass, VehiclePhoto
from plugins.car_hire.schemas_vehicles import DocumentInput, IntervalInput, ServiceInput
from plugins.car_hire.services import fleet
from plugins.car_hire.services.vehicles import documents, photos, servicing

_COLOURS: Final = {"Economy": "blue", "Compact": "grey", "Family": "silver", "Electric": "white"}
_PAPERS: Final = (
    ("insurance", "Fidelidade AP 81.204.{number:03}", 23),
    ("inspection", "IPO {number:05}", 31),
    ("road_tax", "IUC {number:06}", 17),
)
"""Kind, number, and by how many days the cars' dates differ."""


async def complete(session: AsyncSession) -> None:
    """Papers of every car, of which a few lapse soon, and a photo of each class."""
    tenant: Tenant = session.info["tenant"]
    today = clock.today(tenant.zone)
    cars = (await session.scalars(select(Vehicle).order_by(Vehicle.id))).all()
    for place, car in enumerate(cars, start=1):
        for kind, number, step in _PAPERS:
            given = DocumentInput(
                kind=kind,  # type: ignore[arg-type]  # one of them
                number=number.format(number=place * step),
                valid_until=today + timedelta(days=9 + place * step),
                required=True,
            )
            await documents.add(session, car.id, given)
        registration = DocumentInput(kind="registration", number=f"DUA {car.plate}")
        await documents.add(session, car.id, registration)
    await _service(session, cars, today)


async def _service(session: AsyncSession, cars: Sequence[Vehicle], today: date) -> None:
    """Two services; some cars want one soon."""
    oil = IntervalInput(name="Óleo e filtros", every_km=15_000, every_days=365)
    wash = IntervalInput(name="Limpeza a fundo", every_hires=12, every_days=60, hours=3)
    for given in (oil, wash):
        kind = await servicing.add(session, given)
        for place, car in enumerate(cars):
            ago, km = 12 + place * 9, 900 + place * 1_350
            done = ServiceInput(
                done_on=today - timedelta(days=ago), odometer_km=max(0, car.odometer_km - km)
            )
            await servicing.done(session, car.id, kind.id, done)


async def photograph(session: AsyncSession) -> None:
    """What customers see; each file is kept in a transaction of its own."""
    chosen = {each.name: each.id for each in await fleet.classes(session)}
    for name, colour in _COLOURS.items():
        if name in chosen:
            picture = demo_photos.side("front_left", colour)
            file = await storage.keep(session, photos.CLASSES, f"{name}.jpg", picture)
            shown = await session.get_one(VehicleClass, chosen[name])
            shown.photo_id = file.id
            await session.flush()
    first = (await session.execute(select(Vehicle.id, Vehicle.colour).limit(1))).one()
    for view in ("left", "front", "rear"):
        picture = demo_photos.side(view, first.colour)
        file = await storage.keep(session, photos.VEHICLES, f"{view}.jpg", picture)
        session.add(VehiclePhoto(vehicle_id=first.id, file_id=file.id))
        await session.flush()
