"""The status board of the fleet."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core.permissions import permission
from core.web.api import paged, place
from core.web.pages import Page
from plugins.car_hire.models import BLOCK_REASONS
from plugins.car_hire.routes.http import DESK
from plugins.car_hire.services import fleet
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.vehicles import board

PATH: Final = "/car-hire/desk/fleet"
Session = NamedDependency[AsyncSession]


class Board(Controller):
    """What every car does now and next."""

    path = PATH
    include_in_schema = False

    @get("/board", access=permission(DESK))
    async def show(
        self,
        session: Session,
        branch_id: FromQuery[UUID | None] = None,
        class_id: FromQuery[UUID | None] = None,
        status: FromQuery[str] = "",
        cursor: FromQuery[str | None] = None,
    ) -> Page:
        """A page of cars, and how many there are in each state."""
        wanted = board.Wanted(
            branch_id=branch_id,
            class_id=class_id,
            state=status if status in board.STATES else "",
        )
        rows = await board.page(session, wanted, place(cursor))
        found = paged(rows, board.PAGE_SIZE, cursor, lambda row: row.vehicle.id)
        classes = await fleet.classes(session)
        asked: dict[str, Any] = {
            "branch_id": branch_id,
            "class_id": class_id,
            "status": wanted.state,
            "states": board.STATES,
            "colors": board.COLORS,
            "counts": await board.counts(session, wanted),
            "class_names": {each.id: each.name for each in classes},
            "branch_names": (await network.read(session)).told,
            "reasons": BLOCK_REASONS,
        }
        return Page("car_hire/desk/vehicles/board.html", found | asked)


CONTROLLERS = (Board,)
