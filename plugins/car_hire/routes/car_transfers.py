"""Cars on their way between branches: the desk's list, planning, arriving, and the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import DomainError
from core.i18n import _
from core.permissions import permission
from core.scope import Tenant
from core.web.api import Listing, expected
from core.web.forms import Bound, blank, posted
from core.web.pages import Page, SeeOther
from plugins.car_hire.routes.http import API, DESK, FLEET, AnyRequest, versioned
from plugins.car_hire.routes.views import RowView
from plugins.car_hire.schemas_branches import CarTransferInput
from plugins.car_hire.services import fleet
from plugins.car_hire.services.branches import network, transfers

PATH = "/car-hire/desk/fleet/transfers"
TODAY = "/car-hire/desk"
Session = NamedDependency[AsyncSession]


class CarTransferView(RowView, frozen=True, kw_only=True):
    """A car on its way; ``arrived_at`` null is not there yet."""

    id: UUID
    version: int
    vehicle_id: UUID
    from_branch_id: UUID
    to_branch_id: UUID
    starts_at: datetime
    ends_at: datetime
    driver: str | None
    notes: str
    arrived_at: datetime | None
    ended_early: bool


class CarTransfers(Controller):
    """Which car goes where, and what waits for it there."""

    path = PATH
    include_in_schema = False

    @get(access=permission(DESK))
    async def listing(self, session: Session, branch_id: FromQuery[UUID | None] = None) -> Page:
        """Cars on their way, and bookings whose car will be elsewhere."""
        tenant: Tenant = session.info["tenant"]
        now = clock.now()
        coming = await transfers.coming(session, branch_id)
        tomorrow = clock.today(tenant.zone) + timedelta(days=1)
        is_today = [
            clock.local(each.block.starts_at, tenant.zone).date() < tomorrow for each in coming
        ]
        return Page(
            "car_hire/desk/car_transfers.html",
            {
                "today": [each for each, soon in zip(coming, is_today, strict=True) if soon],
                "later": [each for each, soon in zip(coming, is_today, strict=True) if not soon],
                "stranded": await transfers.stranded(session, branch_id),
                "branch_names": (await network.read(session)).told,
                "branch_id": branch_id,
                "now": now,
            },
        )

    @post("/{car_transfer_id:uuid}/arrival", access=permission(DESK))
    async def arrive(
        self, request: AnyRequest, session: Session, car_transfer_id: FromPath[UUID]
    ) -> SeeOther:
        """The car is there."""
        await transfers.arrive(session, car_transfer_id)
        return SeeOther(await _back(request), flash=_("The car stands at its new branch"))

    @post("/{car_transfer_id:uuid}/withdrawal", access=permission(FLEET))
    async def call_off(
        self, request: AnyRequest, session: Session, car_transfer_id: FromPath[UUID]
    ) -> SeeOther:
        """The car is not brought there after all."""
        await transfers.call_off(session, car_transfer_id)
        return SeeOther(await _back(request), flash=_("The transfer is called off"))


class Planning(Controller):
    """A car is to be brought to another branch."""

    path = "/car-hire/desk/fleet/{vehicle_id:uuid}/transfer"
    include_in_schema = False

    @get(access=permission(FLEET))
    async def show(
        self, session: Session, vehicle_id: FromPath[UUID], to_branch_id: FromQuery[str] = ""
    ) -> Page:
        """A form that begins in the next hour."""
        leaves = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        usual = {
            "to_branch_id": to_branch_id,
            "starts_at": leaves,
            "ends_at": leaves + timedelta(hours=4),
        }
        return await _plan_page(session, vehicle_id, blank(CarTransferInput, usual))

    @post(access=permission(FLEET), idempotent=True)
    async def plan(
        self, request: AnyRequest, session: Session, vehicle_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Plan it, unless somebody would find the car gone."""
        form = await posted(request, CarTransferInput)
        try:
            await transfers.plan(session, vehicle_id, form.value)
        except DomainError as error:
            return await _plan_page(session, vehicle_id, form.refuse(error), error)
        return SeeOther(PATH, flash=_("The transfer is planned"))


class Api(Controller):
    """Cars on their way between branches."""

    path = API
    tags = ("Car hire",)

    @get("/car-transfers", access=permission(DESK))
    async def listing(
        self, session: Session, branch_id: FromQuery[UUID | None] = None
    ) -> Listing[CarTransferView]:
        """Transfers that are planned or under way, the next first."""
        rows = await transfers.coming(session, branch_id)
        return Listing([CarTransferView.of(each.block) for each in rows])

    @post("/vehicles/{vehicle_id:uuid}/transfers", access=permission(FLEET), idempotent=True)
    async def plan(
        self, session: Session, vehicle_id: FromPath[UUID], data: JSONBody[CarTransferInput]
    ) -> Response[CarTransferView]:
        """Bring a car to another branch."""
        made = await transfers.plan(session, vehicle_id, data)
        return versioned(CarTransferView.of(made), 201)

    @post("/car-transfers/{car_transfer_id:uuid}/arrival", access=permission(DESK), idempotent=True)
    async def arrive(
        self, request: AnyRequest, session: Session, car_transfer_id: FromPath[UUID]
    ) -> Response[CarTransferView]:
        """The car is there."""
        found = await transfers.arrive(session, car_transfer_id, expected(request))
        return versioned(CarTransferView.of(found), 201)

    @post(
        "/car-transfers/{car_transfer_id:uuid}/withdrawal",
        access=permission(FLEET),
        idempotent=True,
    )
    async def call_off(
        self, request: AnyRequest, session: Session, car_transfer_id: FromPath[UUID]
    ) -> Response[CarTransferView]:
        """The car is not brought there after all."""
        found = await transfers.call_off(session, car_transfer_id, expected(request))
        return versioned(CarTransferView.of(found), 201)


async def _back(request: AnyRequest) -> str:
    """The page on which the button was pressed."""
    came_from = (await request.form()).get("back")
    return TODAY if came_from == "today" else PATH


async def _plan_page(
    session: AsyncSession,
    vehicle_id: UUID,
    form: Bound[CarTransferInput],
    error: DomainError | None = None,
) -> Page:
    branches = await network.read(session)
    return Page(
        "car_hire/desk/car_transfer.html",
        {
            "vehicle": await fleet.vehicle(session, vehicle_id),
            "branch_choices": branches.names,
            "branch_names": branches.told,
            "form": form,
            "in_the_way": [each for each in getattr(error, "found", ()) if each.booking],
        },
        status=error.status if error else 200,
    )


CONTROLLERS = (CarTransfers, Planning, Api)
