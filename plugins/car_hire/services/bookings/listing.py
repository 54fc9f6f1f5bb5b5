"""Pages of bookings, with what a list shows beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from plugins.car_hire.models import Booking, Customer, Vehicle, VehicleClass
from plugins.car_hire.services import customers

PAGE_SIZE: Final = 50


Listed = Row[Booking, str, str, str, str]
"""A booking with the customer's name, the class's name, the car's make and model, its plate."""


async def page(
    session: AsyncSession,
    *,
    text: str = "",
    state: str = "",
    customer_id: UUID | None = None,
    vehicle_id: UUID | None = None,
    branch_id: UUID | None = None,
    before: UUID | None = None,
) -> Sequence[Listed]:
    """A page of bookings, newest first, one more than fits."""
    query = listed().order_by(Booking.id.desc()).limit(PAGE_SIZE + 1)
    if text:
        query = query.where(_found_by(text))
    if state:
        query = query.where(Booking.state == state)
    if customer_id:
        query = query.where(Booking.customer_id == customer_id)
    if vehicle_id:
        query = query.where(Booking.vehicle_id == vehicle_id)
    if branch_id:
        query = query.where(
            or_(Booking.pick_up_branch_id == branch_id, Booking.return_branch_id == branch_id)
        )
    if before:
        query = query.where(Booking.id < before)
    return (await session.execute(query)).all()


def _found_by(text: str) -> ColumnElement[bool]:
    """People and cars are looked for first, and then their bookings: asked row by row, a search
    that finds little would read every booking that there is."""
    people = select(Customer.id).where(customers.called(text))
    plate = "".join(text.split()).upper()
    cars = select(Vehicle.id).where(Vehicle.plate.startswith(plate, autoescape=True))
    return or_(
        Booking.customer_id.in_(people),
        Booking.vehicle_id.in_(cars),
        Booking.number.startswith(text.upper(), autoescape=True),
    )


def listed() -> Select[Booking, str, str, str, str]:
    """Bookings with what a list shows beside them."""
    return (
        select(
            Booking,
            Customer.name,
            VehicleClass.name,
            (Vehicle.make + " " + Vehicle.model).label("vehicle"),
            Vehicle.plate,
        )
        .join(Customer, Customer.id == Booking.customer_id)
        .join(VehicleClass, VehicleClass.id == Booking.class_id)
        .join(Vehicle, Vehicle.id == Booking.vehicle_id)
    )
