"""The desk's books: fleet and classes."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core.i18n import _
from core.permissions import permission
from core.web.api import paged, place
from core.web.forms import Bound, Form, blank
from core.web.pages import Page, SeeOther
from plugins.car_hire import policy
from plugins.car_hire.models import GEARS, VEHICLE_STATUSES
from plugins.car_hire.routes.http import (
    DESK,
    FLEET,
    NO_BOOKINGS,
    RATES,
    AnyRequest,
    bookings_page,
)
from plugins.car_hire.routes.saving import save_form, seen_version
from plugins.car_hire.schemas import (
    ClassInput,
    VehicleInput,
)
from plugins.car_hire.schemas_branches import PlaceInput
from plugins.car_hire.services import fleet
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.damages import charging
from plugins.car_hire.services.inspections import looking as looks
from plugins.car_hire.services.prices import current

PATH = "/car-hire/desk"
Session = NamedDependency[AsyncSession]


class Fleet(Controller):
    """The cars."""

    path = f"{PATH}/fleet"
    include_in_schema = False

    @get(access=permission(DESK))
    async def listing(
        self,
        session: Session,
        text: FromQuery[str] = "",
        status: FromQuery[str] = "",
        branch_id: FromQuery[UUID | None] = None,
        cursor: FromQuery[str | None] = None,
    ) -> Page:
        """Every car, oldest first."""
        rows = await fleet.vehicles(
            session, text=text.strip(), status=status, branch_id=branch_id, after=place(cursor)
        )
        branches = await network.read(session)
        found = paged(rows, fleet.PAGE_SIZE, cursor, lambda row: row[0].id)
        asked = {"text": text, "status": status, "statuses": VEHICLE_STATUSES} | {
            "branch_id": branch_id,
            "branch_names": branches.told,
        }
        return Page("car_hire/desk/fleet.html", found | asked)

    @get("/new", access=permission(FLEET))
    async def new(self, session: Session) -> Page:
        """A form for a car."""
        return await _vehicle_page(session, blank(VehicleInput, {"fuel_eighths": 8}))

    @post("/new", access=permission(FLEET), idempotent=True)
    async def add(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Add a car."""
        return await save_form(
            request,
            VehicleInput,
            partial(fleet.add_vehicle, session),
            partial(_vehicle_page, session),
            f"{PATH}/fleet",
            _("The car is in the fleet"),
        )

    @get("/{vehicle_id:uuid}", access=permission(DESK))
    async def show(
        self, session: Session, vehicle_id: FromPath[UUID], cursor: FromQuery[str | None] = None
    ) -> Page:
        """One car, with its bookings."""
        found = await fleet.vehicle(session, vehicle_id)
        form = blank(VehicleInput, _values(found, VehicleInput) | {"vin": found.vin or ""})
        return await _vehicle_page(session, form, vehicle_id, cursor)

    @post("/{vehicle_id:uuid}", access=permission(FLEET))
    async def change(
        self, request: AnyRequest, session: Session, vehicle_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Change a car."""
        return await save_form(
            request,
            VehicleInput,
            partial(
                fleet.change_vehicle, session, vehicle_id, expected=await seen_version(request)
            ),
            partial(_vehicle_page, session, vehicle_id=vehicle_id),
            f"{PATH}/fleet/{vehicle_id}",
            _("Saved"),
        )


class Classes(Controller):
    """What kinds of cars there are."""

    path = f"{PATH}/classes"
    include_in_schema = False

    @get(access=permission(DESK))
    async def listing(self, session: Session) -> Page:
        """Every class."""
        rows, prices = await fleet.classes(session), await current.read(session)
        context = {"rows": rows, "gears": GEARS, "prices": prices.shown()}
        return Page("car_hire/desk/classes.html", context)

    @get("/new", access=permission(RATES))
    async def new(self, session: Session) -> Page:
        """A form for a class."""
        rules = await policy.read(session)
        form = blank(ClassInput, {"minimum_age": rules.minimum_age, "on_offer": True})
        return await _class_page(session, form)

    @post("/new", access=permission(RATES), idempotent=True)
    async def add(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Add a class."""
        return await save_form(
            request,
            ClassInput,
            partial(fleet.add_class, session),
            partial(_class_page, session),
            f"{PATH}/classes",
            _("The class is added. Give it a price, so that it can be hired"),
        )

    @get("/{class_id:uuid}", access=permission(RATES))
    async def show(self, session: Session, class_id: FromPath[UUID]) -> Page:
        """One class."""
        found = await fleet.vehicle_class(session, class_id)
        return await _class_page(session, blank(ClassInput, _values(found, ClassInput)), class_id)

    @post("/{class_id:uuid}", access=permission(RATES))
    async def change(
        self, request: AnyRequest, session: Session, class_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Change a class."""
        return await save_form(
            request,
            ClassInput,
            partial(fleet.change_class, session, class_id, expected=await seen_version(request)),
            partial(_class_page, session, class_id=class_id),
            f"{PATH}/classes",
            _("Saved"),
        )


def _values(row: object, kind: type[Form]) -> dict[str, Any]:
    return {field: getattr(row, field) for field in kind.__struct_fields__}


async def _vehicle_page(
    session: AsyncSession,
    form: Bound[VehicleInput],
    vehicle_id: UUID | None = None,
    cursor: str | None = None,
    status: int = 200,
) -> Page:
    classes = await fleet.classes(session)
    found = await fleet.vehicle(session, vehicle_id) if vehicle_id else None
    kept = (
        await bookings_page(session, cursor, vehicle_id=vehicle_id) if vehicle_id else NO_BOOKINGS
    )
    names = {str(each.id): each.name for each in classes}
    damages = await looks.history(session, vehicle_id) if vehicle_id else ()
    branches = await network.read(session)
    shown = {
        "form": form,
        "found": found,
        "class_names": names,
        "damages": damages,
        "told_damage": charging.told,
        "branch_names": branches.told,
        "branch_choices": branches.names,
        "statuses": {
            key: name
            for key, name in VEHICLE_STATUSES.items()
            if key != "retired" or (found and found.status == key)
        },
        "place_form": blank(PlaceInput, {"branch_id": found.branch_id} if found else {}),
    }
    return Page(
        "car_hire/desk/vehicle.html",
        {**kept, **shown},
        status=status,
    )


async def _class_page(
    session: AsyncSession, form: Bound[ClassInput], class_id: UUID | None = None, status: int = 200
) -> Page:
    found = await fleet.vehicle_class(session, class_id) if class_id else None
    return Page("car_hire/desk/class.html", {"form": form, "found": found}, status=status)


CONTROLLERS = (Fleet, Classes)
