"""``/api/v1/car-hire``: classes, cars and customers, for programs."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import identity
from core.permissions import member, permission, public
from core.web.api import Listing, expected, page_of, place
from plugins.car_hire.models import VehicleClass
from plugins.car_hire.routes import views
from plugins.car_hire.routes.http import (
    API,
    DESK,
    FLEET,
    RATES,
    AnyRequest,
    is_desk,
    versioned,
)
from plugins.car_hire.schemas import (
    ClassInput,
    CustomerInput,
    LicenceInput,
    VehicleInput,
)
from plugins.car_hire.services import (
    customers,
    fleet,
)
from plugins.car_hire.services.prices import current

Session = NamedDependency[AsyncSession]


class Classes(Controller):
    """Vehicle classes."""

    path = f"{API}/classes"
    tags = ("Car hire",)

    @get(access=public)
    async def listing(self, session: Session) -> Listing[views.ClassView]:
        """Every class; customers see those on offer."""
        found = await fleet.classes(session, on_offer=not is_desk())
        shown = (await current.read(session)).shown()
        return Listing([views.ClassView.of(each, shown.get(each.id)) for each in found])

    @post(access=permission(RATES), idempotent=True)
    async def add(self, session: Session, data: JSONBody[ClassInput]) -> Response[views.ClassView]:
        """Add a class."""
        made = await fleet.add_class(session, data)
        return versioned(views.ClassView.of(made, None), 201)

    @get("/{class_id:uuid}", access=public)
    async def show(self, session: Session, class_id: FromPath[UUID]) -> Response[views.ClassView]:
        """One class."""
        found = await fleet.vehicle_class(session, class_id)
        return versioned(await _priced(session, found))

    @put("/{class_id:uuid}", access=permission(RATES))
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        class_id: FromPath[UUID],
        data: JSONBody[ClassInput],
    ) -> Response[views.ClassView]:
        """Change a class; If-Match guards against overwriting somebody else's change."""
        found = await fleet.change_class(session, class_id, data, expected(request))
        return versioned(await _priced(session, found))


async def _priced(session: AsyncSession, found: VehicleClass) -> views.ClassView:
    prices = await current.read(session, found.id)
    return views.ClassView.of(found, prices.shown().get(found.id))


class Vehicles(Controller):
    """The fleet."""

    path = f"{API}/vehicles"
    tags = ("Car hire",)

    @get(access=permission(DESK))
    async def listing(
        self,
        session: Session,
        text: FromQuery[str] = "",
        status: FromQuery[str] = "",
        cursor: FromQuery[str | None] = None,
    ) -> Listing[views.VehicleView]:
        """The fleet, oldest first; ``text`` is part of plate, make or model."""
        rows = await fleet.vehicles(session, text=text, status=status, after=place(cursor))
        page, following = page_of(
            [row[0] for row in rows], fleet.PAGE_SIZE, lambda row: (str(row.id),)
        )
        return Listing([views.VehicleView.of(each) for each in page], following)

    @post(access=permission(FLEET), idempotent=True)
    async def add(
        self, session: Session, data: JSONBody[VehicleInput]
    ) -> Response[views.VehicleView]:
        """Add a car."""
        made = await fleet.add_vehicle(session, data)
        return versioned(views.VehicleView.of(made), 201)

    @get("/{vehicle_id:uuid}", access=permission(DESK))
    async def show(
        self, session: Session, vehicle_id: FromPath[UUID]
    ) -> Response[views.VehicleView]:
        """One car."""
        found = views.VehicleView(**await fleet.vehicle_facts(session, vehicle_id))
        return versioned(found)

    @put("/{vehicle_id:uuid}", access=permission(FLEET))
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        vehicle_id: FromPath[UUID],
        data: JSONBody[VehicleInput],
    ) -> Response[views.VehicleView]:
        """Change a car; If-Match guards against overwriting somebody else's change."""
        found = await fleet.change_vehicle(session, vehicle_id, data, expected(request))
        return versioned(views.VehicleView.of(found))


class Customers(Controller):
    """The people who hire."""

    path = f"{API}/customers"
    tags = ("Car hire",)

    @get(access=permission(DESK))
    async def listing(
        self, session: Session, text: FromQuery[str] = "", cursor: FromQuery[str | None] = None
    ) -> Listing[views.CustomerView]:
        """Customers, newest first; ``text`` is part of name, e-mail or phone."""
        rows = await customers.page(session, text=text, before=place(cursor))
        page, following = page_of(rows, customers.PAGE_SIZE, lambda row: (str(row.id),))
        return Listing([views.CustomerView.of(each) for each in page], following)

    @post(access=permission(DESK), idempotent=True)
    async def add(
        self, session: Session, data: JSONBody[CustomerInput]
    ) -> Response[views.CustomerView]:
        """Write a customer down at the desk."""
        made = await customers.add(session, data)
        return versioned(views.CustomerView.of(made), 201)

    @put("/me", access=member)
    async def register(
        self, session: Session, data: JSONBody[LicenceInput]
    ) -> Response[views.CustomerView]:
        """Tell us of one's own driving licence: who signs in becomes a customer by it."""
        made = await customers.register(session, identity.required(), data)
        return versioned(views.CustomerView.of(made))

    @get("/{customer_id:uuid}", access=permission(DESK))
    async def show(
        self, session: Session, customer_id: FromPath[UUID]
    ) -> Response[views.CustomerView]:
        """One customer."""
        found = await customers.one(session, customer_id)
        return versioned(views.CustomerView.of(found))

    @put("/{customer_id:uuid}", access=permission(DESK))
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        customer_id: FromPath[UUID],
        data: JSONBody[CustomerInput],
    ) -> Response[views.CustomerView]:
        """Change a customer; If-Match guards against overwriting somebody else's change."""
        found = await customers.change(session, customer_id, data, expected(request))
        return versioned(views.CustomerView.of(found))


CONTROLLERS = (Classes, Vehicles, Customers)
