"""Photos of cars and classes."""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError, Invalid
from core.i18n import _
from core.permissions import permission
from core.storage import receiving
from core.web.pages import Page, SeeOther
from plugins.car_hire.routes.http import DESK, FLEET, RATES, AnyRequest
from plugins.car_hire.services import fleet
from plugins.car_hire.services.vehicles import photos

PATH: Final = "/car-hire/desk"
Session = NamedDependency[AsyncSession]


class VehiclePhotos(Controller):
    """The photos of one car."""

    path = f"{PATH}/fleet/{{vehicle_id:uuid}}/photos"
    include_in_schema = False

    @get(access=permission(DESK))
    async def listing(self, session: Session, vehicle_id: FromPath[UUID]) -> Page:
        """Every photo, and a form for one more."""
        shown = {
            "vehicle": await fleet.vehicle(session, vehicle_id),
            "rows": await photos.of_vehicle(session, vehicle_id),
            "most": photos.MOST,
        }
        return Page("car_hire/desk/vehicles/photos.html", shown)

    @post(access=permission(FLEET), request_max_body_size=None)
    async def add(
        self, request: AnyRequest, session: Session, vehicle_id: FromPath[UUID]
    ) -> SeeOther:
        """Keep a photo, the file ``photo``."""
        receive = partial(receiving.picture, request, session, "photo", photos.VEHICLES)
        there = f"{PATH}/fleet/{vehicle_id}/photos"
        try:
            await photos.add(session, vehicle_id, receive)
        except Invalid as error:
            return SeeOther(there, flash=_said(error), level="danger")
        return SeeOther(there, flash=_("The photo is kept"))

    @post("/{photo_id:uuid}/removal", access=permission(FLEET))
    async def remove(
        self, session: Session, vehicle_id: FromPath[UUID], photo_id: FromPath[UUID]
    ) -> SeeOther:
        """Remove a photo."""
        await photos.remove(session, vehicle_id, photo_id)
        return SeeOther(f"{PATH}/fleet/{vehicle_id}/photos", flash=_("The photo is removed"))


class ClassPhoto(Controller):
    """The photo by which customers see a class."""

    path = f"{PATH}/classes/{{class_id:uuid}}/photo"
    include_in_schema = False

    @post(access=permission(RATES), request_max_body_size=None)
    async def show(
        self, request: AnyRequest, session: Session, class_id: FromPath[UUID]
    ) -> SeeOther:
        """Show this one from now on, the file ``photo``."""
        receive = partial(receiving.picture, request, session, "photo", photos.CLASSES)
        there = f"{PATH}/classes/{class_id}"
        try:
            await photos.show_class(session, class_id, receive)
        except Invalid as error:
            return SeeOther(there, flash=_said(error), level="danger")
        return SeeOther(there, flash=_("Customers see this photo now"))

    @post("/removal", access=permission(RATES))
    async def hide(self, session: Session, class_id: FromPath[UUID]) -> SeeOther:
        """Show none."""
        await photos.hide_class(session, class_id)
        return SeeOther(f"{PATH}/classes/{class_id}", flash=_("The photo is removed"))


def _said(error: DomainError) -> Any:
    return error.errors[0].message if error.errors else error.message


CONTROLLERS = (VehiclePhotos, ClassPhoto)
