"""What car hire puts into pages of core, and where others put something into its own."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity
from core.plugin import Place, Slot
from plugins.car_hire.models import GEARS, states
from plugins.car_hire.routes.http import DESK
from plugins.car_hire.services import customers, fleet, looking
from plugins.car_hire.services.prices import current

_SHOWN: Final = 3

BOOKING: Final = Place(
    name="car_hire.booking",
    page="The page of one booking at the desk, seen by those who may work there.",
    context={"booking_id": UUID},
)
PLACES: Final = (BOOKING,)


async def cheapest(session: AsyncSession) -> dict[str, Any] | None:
    """A few classes for a business's home page, the cheapest first."""
    prices = (await current.read(session)).shown()
    offered = [each for each in await fleet.classes(session, on_offer=True) if each.id in prices]
    offered.sort(key=lambda each: prices[each.id].day_gross.amount)
    shown = {"classes": offered[:_SHOWN], "gears": GEARS, "prices": prices}
    return shown if offered else None


async def next_booking(session: AsyncSession) -> dict[str, Any] | None:
    """One's own next booking for one's account."""
    found = await looking.next_of(session, identity.required().user_id)
    if found is None:
        return None
    booking, _name, class_name, vehicle, plate = found
    return {
        "booking": booking,
        "class_name": class_name,
        "car": f"{vehicle} · {plate}" if booking.state == "out" else None,
        "titles": states.BOOKING_TITLES,
        "colors": states.STATE_COLORS,
    }


async def customer(session: AsyncSession, person_id: UUID) -> dict[str, Any] | None:
    """What the desk knows of a person who hires, on their page among the people."""
    found = await customers.of_user(session, person_id)
    if found is None:
        return None
    return {"customer": found, "next": await looking.next_of(session, person_id)}


SLOTS: Final = (
    Slot(name="tenant.home", template="car_hire/slots/cheapest.html", fill=cheapest),
    Slot(name="account", template="car_hire/slots/next_booking.html", fill=next_booking),
    Slot(name="person", template="car_hire/slots/customer.html", fill=customer, permission=DESK),
)
