"""Service of cars: what is due, how often, planned and noted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import DomainError
from core.i18n import _
from core.permissions import permission
from core.scope import Tenant
from core.web.api import Listing
from core.web.forms import Bound, blank, posted
from core.web.pages import Page, SeeOther
from plugins.car_hire.errors import Collision
from plugins.car_hire.routes.http import API, DESK, FLEET, AnyRequest
from plugins.car_hire.routes.saving import save_form, seen_version
from plugins.car_hire.routes.views import View
from plugins.car_hire.schemas_vehicles import IntervalInput, ServiceInput
from plugins.car_hire.services import fleet
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.vehicles import servicing

PATH: Final = "/car-hire/desk/fleet"
SERVICE: Final = f"{PATH}/service"
Session = NamedDependency[AsyncSession]


class DueView(View, frozen=True, kw_only=True):
    """A service that is due; ``share`` of 1 and more is overdue."""

    vehicle_id: UUID
    interval_id: UUID
    name: str
    done_on: date | None
    km: int
    days: int
    hires: int
    share: float


class Service(Controller):
    """Which cars want service, and how often."""

    path = SERVICE
    include_in_schema = False

    @get(access=permission(DESK))
    async def due(self, session: Session, branch_id: FromQuery[UUID | None] = None) -> Page:
        """What is due or overdue, the latest first."""
        shown = {
            "rows": await servicing.due(session, branch_id),
            "intervals": await servicing.intervals(session),
            "class_names": {each.id: each.name for each in await fleet.classes(session)},
            "branch_id": branch_id,
            "branch_names": (await network.read(session)).told,
        }
        return Page("car_hire/desk/vehicles/service_due.html", shown)

    @get("/new", access=permission(FLEET))
    async def new(self, session: Session) -> Page:
        """A form for a service."""
        return await _interval_page(session, blank(IntervalInput))

    @post("/new", access=permission(FLEET), idempotent=True)
    async def add(self, request: AnyRequest, session: Session) -> Page | SeeOther:
        """Say what service cars want."""
        return await save_form(
            request,
            IntervalInput,
            partial(servicing.add, session),
            partial(_interval_page, session),
            SERVICE,
            _("Saved"),
        )

    @get("/{interval_id:uuid}", access=permission(FLEET))
    async def show(self, session: Session, interval_id: FromPath[UUID]) -> Page:
        """One service."""
        found = await servicing.interval(session, interval_id)
        known = {name: getattr(found, name) for name in IntervalInput.__struct_fields__}
        return await _interval_page(session, blank(IntervalInput, known), interval_id)

    @post("/{interval_id:uuid}", access=permission(FLEET))
    async def change(
        self, request: AnyRequest, session: Session, interval_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Change how often cars want it."""
        seen = await seen_version(request)
        return await save_form(
            request,
            IntervalInput,
            partial(servicing.change, session, interval_id, expected=seen),
            partial(_interval_page, session, interval_id=interval_id),
            SERVICE,
            _("Saved"),
        )


class OfVehicle(Controller):
    """The service of one car."""

    path = f"{PATH}/{{vehicle_id:uuid}}/service"
    include_in_schema = False

    @get(access=permission(DESK))
    async def show(self, session: Session, vehicle_id: FromPath[UUID]) -> Page:
        """What it wants, and since when."""
        return await _vehicle_page(session, vehicle_id)

    @post("/{interval_id:uuid}/plan", access=permission(FLEET))
    async def plan(
        self, session: Session, vehicle_id: FromPath[UUID], interval_id: FromPath[UUID]
    ) -> SeeOther:
        """Keep the car back on the first free morning."""
        try:
            await servicing.plan(session, vehicle_id, interval_id)
        except Collision as error:
            there = f"{PATH}/{vehicle_id}/service"
            return SeeOther(there, flash=error.message, level="danger")
        return SeeOther(f"{PATH}/{vehicle_id}/blocks", flash=_("The service is planned"))

    @post("/{interval_id:uuid}/done", access=permission(FLEET), idempotent=True)
    async def done(
        self,
        request: AnyRequest,
        session: Session,
        vehicle_id: FromPath[UUID],
        interval_id: FromPath[UUID],
    ) -> Page | SeeOther:
        """The car had it."""
        form = await posted(request, ServiceInput)
        try:
            await servicing.done(session, vehicle_id, interval_id, form.value)
        except DomainError as error:
            form.refuse(error)
            return await _vehicle_page(session, vehicle_id, form, interval_id, error.status)
        return SeeOther(f"{PATH}/{vehicle_id}/service", flash=_("The service is noted"))


class Api(Controller):
    """Service of cars."""

    path = f"{API}/services"
    tags = ("Car hire",)

    @get("/due", access=permission(DESK))
    async def due(
        self, session: Session, branch_id: FromQuery[UUID | None] = None
    ) -> Listing[DueView]:
        """What is due or overdue, the latest first."""
        rows = await servicing.due(session, branch_id)
        return Listing([_view(each) for each in rows])


def _view(each: servicing.Due) -> DueView:
    return DueView(
        vehicle_id=each.vehicle.id, interval_id=each.interval.id, name=each.interval.name,
        done_on=each.done_on, km=each.km, days=each.days, hires=each.hires, share=each.share,
    )  # fmt: skip


async def _interval_page(
    session: AsyncSession,
    form: Bound[IntervalInput],
    interval_id: UUID | None = None,
    status: int = 200,
) -> Page:
    found = await servicing.interval(session, interval_id) if interval_id else None
    names = {str(each.id): each.name for each in await fleet.classes(session)}
    shown = {"form": form, "found": found, "class_names": names}
    return Page("car_hire/desk/vehicles/service_interval.html", shown, status=status)


async def _vehicle_page(
    session: AsyncSession,
    vehicle_id: UUID,
    form: Bound[ServiceInput] | None = None,
    interval_id: UUID | None = None,
    status: int = 200,
) -> Page:
    tenant: Tenant = session.info["tenant"]
    car = await fleet.vehicle(session, vehicle_id)
    usual: dict[str, Any] = {
        "done_on": clock.today(tenant.zone), "odometer_km": car.odometer_km,
    }  # fmt: skip
    rows = await servicing.of_vehicle(session, vehicle_id)
    forms = {row.interval.id: blank(ServiceInput, usual) for row in rows}
    if form is not None and interval_id in forms:
        forms[interval_id] = form
    shown = {
        "vehicle": car,
        "rows": rows,
        "typed_for": interval_id,
        "done_forms": {key: replace(each, id=f"done-{key}") for key, each in forms.items()},
    }
    return Page("car_hire/desk/vehicles/service.html", shown, status=status)


CONTROLLERS = (Service, OfVehicle, Api)
