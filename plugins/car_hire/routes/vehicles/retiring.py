"""Cars that leave the fleet, and come back."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _
from core.permissions import permission
from core.web.forms import Bound, blank, posted
from core.web.pages import Page, SeeOther
from plugins.car_hire.models import BLOCK_REASONS
from plugins.car_hire.routes.http import DESK, FLEET, AnyRequest
from plugins.car_hire.schemas_vehicles import RetirementInput
from plugins.car_hire.services import fleet
from plugins.car_hire.services.vehicles import retiring

PATH: Final = "/car-hire/desk/fleet"
Session = NamedDependency[AsyncSession]


class Retirement(Controller):
    """Whether a car belongs to the fleet."""

    path = f"{PATH}/{{vehicle_id:uuid}}/retirement"
    include_in_schema = False

    @get(access=permission(DESK))
    async def show(self, session: Session, vehicle_id: FromPath[UUID]) -> Page:
        """What has to be dealt with before the car can leave."""
        return await _page(session, vehicle_id, blank(RetirementInput))

    @post(access=permission(FLEET))
    async def retire(
        self, request: AnyRequest, session: Session, vehicle_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """The car leaves the fleet."""
        form = await posted(request, RetirementInput)
        try:
            await retiring.retire(session, vehicle_id, form.value)
        except DomainError as error:
            return await _page(session, vehicle_id, form.refuse(error), error.status)
        return SeeOther(f"{PATH}/{vehicle_id}/retirement", flash=_("The car has left the fleet"))

    @post("/undo", access=permission(FLEET))
    async def undo(self, session: Session, vehicle_id: FromPath[UUID]) -> SeeOther:
        """The car is in the fleet again."""
        there = f"{PATH}/{vehicle_id}/retirement"
        await fleet.vehicle(session, vehicle_id)  # one that does not exist is not excused
        try:
            await retiring.bring_back(session, vehicle_id)
        except DomainError as error:
            said = error.errors[0].message if error.errors else error.message
            return SeeOther(there, flash=said, level="danger")
        return SeeOther(there, flash=_("The car is in the fleet again"))


async def _page(
    session: AsyncSession, vehicle_id: UUID, form: Bound[RetirementInput], status: int = 200
) -> Page:
    shown = {
        "vehicle": await fleet.vehicle(session, vehicle_id),
        "ahead": await retiring.ahead(session, vehicle_id),
        "reasons": BLOCK_REASONS,
        "form": form,
    }
    return Page("car_hire/desk/vehicles/retirement.html", shown, status=status)


CONTROLLERS = (Retirement,)
