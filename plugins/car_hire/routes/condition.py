"""How their car left and came back, for the customer."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.permissions import member
from core.web.pages import Page
from plugins.car_hire.models.zones import ZONES
from plugins.car_hire.routes.http import check_own
from plugins.car_hire.services import bookings
from plugins.car_hire.services.damages import charging
from plugins.car_hire.services.inspections import looking


class Condition(Controller):
    """Photos, marks and signatures of one's own hire."""

    path = "/car-hire/bookings"
    include_in_schema = False

    @get("/{booking_id:uuid}/condition", access=member)
    async def show(
        self, session: NamedDependency[AsyncSession], booking_id: FromPath[UUID]
    ) -> Page:
        """What was seen of the car; a look that is not over yet is the desk's alone."""
        booking = await bookings.one(session, booking_id)
        await check_own(session, booking)
        found = await looking.of_booking(session, booking_id)
        context = {
            "booking": booking,
            "looks": [each for each in found if each.inspection.done_at is not None],
            "zones": ZONES,
            "told_damage": charging.told,
        }
        return Page("car_hire/site/condition.html", context)


CONTROLLERS = (Condition,)
