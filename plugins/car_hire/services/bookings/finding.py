"""Bookings by what names them, read or locked."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Invalid, NotFound
from core.i18n import _
from plugins.car_hire.models import Booking, VehicleClass
from plugins.car_hire.services import fleet


async def one(session: AsyncSession, booking_id: UUID) -> Booking:
    """One booking.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Booking, booking_id)
    if found is None:
        raise NotFound(_("There is no such booking"))
    return found


async def by_number(session: AsyncSession, number: str) -> Booking:
    """The booking that people name so.

    Raises:
        Invalid: there is none.
    """
    wanted = select(Booking).where(Booking.number == number.strip().upper())
    found = await session.scalar(wanted)
    if found is None:
        raise Invalid(_("There is no booking of this number"), field="number")
    return found


async def class_of(session: AsyncSession, booking: Booking) -> VehicleClass:
    """The class that was booked."""
    return await fleet.vehicle_class(session, booking.class_id)


async def locked(session: AsyncSession, booking_id: UUID) -> Booking:
    """One booking, which nobody else changes until this transaction ends.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Booking, booking_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such booking"))
    return found


async def locked_all(session: AsyncSession, booking_ids: Sequence[UUID]) -> list[Booking]:
    """Several bookings in the order given, which nobody else changes until this transaction ends.

    Raises:
        NotFound: one of them is none.
    """
    query = select(Booking).where(Booking.id.in_(booking_ids)).order_by(Booking.id)
    query = query.with_for_update().execution_options(populate_existing=True)
    found = {each.id: each for each in await session.scalars(query)}
    if len(found) < len(set(booking_ids)):
        raise NotFound(_("There is no such booking"))
    return [found[each] for each in booking_ids]
