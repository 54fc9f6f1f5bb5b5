"""/api/v1/car-hire/charges: fines and tolls, for programs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.permissions import permission
from core.web.api import Listing, page_of, place
from plugins.car_hire.routes.http import API, DESK
from plugins.car_hire.routes.views import RowView
from plugins.car_hire.schemas_later import ChargingInput, LaterInput, WhyInput
from plugins.car_hire.services.later import charging, recording

ACCESS = permission(DESK)
Session = NamedDependency[AsyncSession]


class LaterView(RowView, frozen=True, kw_only=True):
    """A fine or toll; ``gross`` is what the customer pays, ``file_id`` what shows it."""

    id: UUID
    version: int
    kind: str
    state: str
    booking_id: UUID
    hire_id: UUID
    customer_id: UUID
    vehicle_id: UUID
    happened_at: datetime
    authority: str
    reference: str
    currency: str
    amount: Decimal
    fee: Decimal
    gross: Decimal
    file_id: UUID | None
    said: str
    charged_at: datetime | None
    paid_at: datetime | None


class LaterApi(Controller):
    """Fines and tolls."""

    path = f"{API}/charges"
    tags = ("Car hire",)

    @get(access=ACCESS)
    async def listing(
        self,
        session: Session,
        text: FromQuery[str] = "",
        status: FromQuery[str] = "",
        cursor: FromQuery[str | None] = None,
    ) -> Listing[LaterView]:
        """A page of them, newest first; ``text`` as the desk's search."""
        rows = await recording.page(session, text=text, state=status, before=place(cursor))
        page, following = page_of(rows, recording.PAGE_SIZE, lambda row: (str(row[0].id),))
        return Listing([LaterView.of(row[0]) for row in page], following)

    @post(access=ACCESS, idempotent=True)
    async def record(self, session: Session, data: JSONBody[LaterInput]) -> Response[LaterView]:
        """Note what was asked for; whoever had the car is found by plate and time."""
        made = await recording.record(session, data)
        return Response(LaterView.of(made), status_code=201)

    @get("/{later_id:uuid}", access=ACCESS)
    async def show(self, session: Session, later_id: FromPath[UUID]) -> LaterView:
        """One of them."""
        return LaterView.of(await recording.one(session, later_id))

    @post("/{later_id:uuid}/charging", access=ACCESS, status_code=200)
    async def charge(
        self, session: Session, later_id: FromPath[UUID], data: JSONBody[ChargingInput]
    ) -> LaterView:
        """Charge the customer: the card that was kept, or a link."""
        found = await charging.charge(session, later_id, by_link=data.by_link)
        return LaterView.of(found)

    @post("/{later_id:uuid}/objection", access=ACCESS, status_code=200)
    async def contest(
        self, session: Session, later_id: FromPath[UUID], data: JSONBody[WhyInput]
    ) -> LaterView:
        """The customer objects: nothing is taken until that is decided."""
        return LaterView.of(await charging.contest(session, later_id, data.why))

    @post("/{later_id:uuid}/waiver", access=ACCESS, status_code=200)
    async def waive(
        self, session: Session, later_id: FromPath[UUID], data: JSONBody[WhyInput]
    ) -> LaterView:
        """The customer need not pay; an invoice of it is credited."""
        return LaterView.of(await charging.waive(session, later_id, data.why))


CONTROLLERS = (LaterApi,)
