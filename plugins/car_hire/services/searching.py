"""The desk's search over anything: a number, a plate, a name, a phone number, an address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from plugins.car_hire.models import Booking, Customer, Vehicle
from plugins.car_hire.services import bookings, customers

SHORTEST: Final = 2
"""Of one letter everything would be found."""
MOST: Final = 12
_NUMBER: Final = re.compile(r"[2-9A-HJKMNP-Z]{4}-?[2-9A-HJKMNP-Z]{0,4}")


@dataclass(frozen=True, slots=True)
class Found:
    """What fits, each kind by itself, the newest first, and no more than fits on a screen."""

    bookings: Sequence[bookings.Listed] = ()
    vehicles: Sequence[Vehicle] = ()
    customers: Sequence[Customer] = ()

    @property
    def only_booking(self) -> UUID | None:
        """The booking that was meant, if nothing else was found."""
        if len(self.bookings) == 1 and not (self.vehicles or self.customers):
            only: UUID = self.bookings[0][0].id
            return only
        return None

    def __bool__(self) -> bool:
        return bool(self.bookings or self.vehicles or self.customers)


async def everything(session: AsyncSession, text: str) -> Found:
    """Whatever ``text`` is a part of: three statements."""
    text = " ".join(text.split())
    if len(text) < SHORTEST:
        return Found()
    return Found(
        await _bookings(session, text.upper()),
        await _vehicles(session, "".join(text.split()).upper()),
        await _customers(session, text),
    )


async def _bookings(session: AsyncSession, text: str) -> Sequence[bookings.Listed]:
    if not _NUMBER.fullmatch(text):
        return ()
    digits = text.replace("-", "")
    number = f"{digits[:4]}-{digits[4:]}" if len(digits) > 4 else digits
    whole = Booking.number == number
    part = Booking.number.startswith(number, autoescape=True)
    query = bookings.listed().where(whole if len(digits) == 8 else part)
    return (await session.execute(query.order_by(Booking.id.desc()).limit(MOST))).all()


async def _vehicles(session: AsyncSession, text: str) -> Sequence[Vehicle]:
    query = select(Vehicle).where(Vehicle.plate.contains(text, autoescape=True))
    return (await session.scalars(query.order_by(Vehicle.plate).limit(MOST))).all()


async def _customers(session: AsyncSession, text: str) -> Sequence[Customer]:
    """By name or address, of which an index has the trigrams; digits by phone, whatever stands
    between them, for which every customer is read."""
    digits = re.sub(r"[\s+()./-]", "", text)
    wanted = customers.called(text)
    if digits.isdecimal():
        wanted |= Customer.phone.like(f"%{'%'.join(digits)}%")
    query = select(Customer).where(wanted).order_by(Customer.id.desc()).limit(MOST)
    return (await session.scalars(query)).all()
