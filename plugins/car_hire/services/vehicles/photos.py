"""Photos of cars, for the desk, and of classes, for customers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.errors import Invalid, NotFound
from core.i18n import _
from core.storage import services as storage
from core.storage.models import StoredFile
from plugins.car_hire.models import VehicleClass, VehiclePhoto
from plugins.car_hire.services import fleet
from plugins.car_hire.services.editing import edit

VEHICLES: Final = "car_hire.vehicles"
CLASSES: Final = "car_hire.classes"
MOST: Final = 12
"""Photos of one car."""
Receive = Callable[[], Awaitable[StoredFile]]
"""Keeps the file that is being sent; what was recorded so far is committed."""


async def of_vehicle(session: AsyncSession, vehicle_id: UUID) -> Sequence[VehiclePhoto]:
    """The photos of a car, the oldest first."""
    query = select(VehiclePhoto).where(VehiclePhoto.vehicle_id == vehicle_id)
    return (await session.scalars(query.order_by(VehiclePhoto.id))).all()


async def add(session: AsyncSession, vehicle_id: UUID, receive: Receive) -> VehiclePhoto:
    """Keep a photo of a car.

    Raises:
        NotFound: there is no such car.
        Invalid: it has as many as it may have, or this is no picture.
    """
    await fleet.vehicle(session, vehicle_id)
    counted = select(func.count()).where(VehiclePhoto.vehicle_id == vehicle_id)
    if (await session.scalar(counted) or 0) >= MOST:
        raise Invalid(_("A car has twelve photos at most. Remove one first"), field="photo")
    file = await receive()
    made = VehiclePhoto(vehicle_id=vehicle_id, file_id=file.id)
    session.add(made)
    await session.flush()
    await audit.record(session, "car_hire.photo_added", "car_hire.vehicle", vehicle_id)
    return made


async def remove(session: AsyncSession, vehicle_id: UUID, photo_id: UUID) -> None:
    """Remove a photo of a car.

    Raises:
        NotFound: there is no such photo.
    """
    found = await session.get(VehiclePhoto, photo_id)
    if found is None or found.vehicle_id != vehicle_id:
        raise NotFound(_("There is no such photo"))
    await session.delete(found)
    await session.flush()
    await storage.discard(session, found.file_id)
    await audit.record(session, "car_hire.photo_removed", "car_hire.vehicle", vehicle_id)


async def show_class(session: AsyncSession, class_id: UUID, receive: Receive) -> VehicleClass:
    """Let customers see a class by this photo, in the place of the one there was.

    Raises:
        NotFound: there is no such class.
        Invalid: this is no picture.
    """
    await fleet.vehicle_class(session, class_id)
    file = await receive()
    return await _set(session, class_id, file.id)


async def hide_class(session: AsyncSession, class_id: UUID) -> VehicleClass:
    """Go without a photo of a class.

    Raises:
        NotFound: there is no such class.
    """
    await fleet.vehicle_class(session, class_id)
    return await _set(session, class_id, None)


async def _set(session: AsyncSession, class_id: UUID, file_id: UUID | None) -> VehicleClass:
    found = await session.get_one(
        VehicleClass, class_id, with_for_update=True, populate_existing=True
    )
    edit(found, None)
    before, found.photo_id = found.photo_id, file_id
    await session.flush()
    if before is not None:
        await storage.discard(session, before)
    await audit.record(session, "car_hire.class_photo", "car_hire.class", class_id)
    return found
