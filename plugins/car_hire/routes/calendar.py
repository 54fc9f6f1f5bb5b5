"""The calendar of the fleet, the glance for a walk-in, and changes of one booking."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import DomainError, Invalid
from core.i18n import _
from core.permissions import permission
from core.scope import Tenant
from core.web.api import paged, place
from core.web.formatting import wall
from core.web.forms import Bound, bind, blank, posted
from core.web.pages import Page, SeeOther
from plugins.car_hire.models import BLOCK_REASONS
from plugins.car_hire.routes.choosing import chosen_in, gathered
from plugins.car_hire.routes.http import DESK, FLEET, SHOWN, AnyRequest
from plugins.car_hire.schemas import BlockInput, CarInput, DatesInput, SwapInput, UntilInput
from plugins.car_hire.services import blocks, bookings, calendar, changing, fleet, limits
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.differences import Repriced

PATH = "/car-hire/desk"
ACCESS = permission(DESK)
Session = NamedDependency[AsyncSession]


class Calendar(Controller):
    """Cars by days."""

    path = PATH
    include_in_schema = False

    @get("/calendar", access=ACCESS)
    async def grid(
        self,
        session: Session,
        first: FromQuery[str] = "",
        days: FromQuery[str] = "14",
        class_id: FromQuery[UUID | None] = None,
        branch_id: FromQuery[UUID | None] = None,
        vehicle_id: FromQuery[UUID | None] = None,
        cursor: FromQuery[str | None] = None,
    ) -> Page:
        """A page of cars and what each is spoken for, day by day."""
        tenant: Tenant = session.info["tenant"]
        begins = _day(first) or clock.today(tenant.zone)
        count = int(days) if days in calendar.SPANS else 14
        wanted = {"class_id": class_id, "branch_id": branch_id, "vehicle_id": vehicle_id}
        rows = await calendar.lines(session, begins, count, **wanted, after=place(cursor))
        found = paged(rows, calendar.CARS, cursor, lambda row: row.vehicle.id)
        classes = await fleet.classes(session)
        shown = {
            "first_day": begins,
            "days": [begins + timedelta(days=n) for n in range(count)],
            "today": clock.today(tenant.zone),
            "count": count,
            "before": begins - timedelta(days=count),
            "after": begins + timedelta(days=count),
            "class_id": class_id,
            "vehicle_id": vehicle_id,
            "branch_id": branch_id,
            "class_names": {str(each.id): each.name for each in classes},
            "branch_names": (await network.read(session)).told,
        }
        return Page("car_hire/desk/calendar.html", found | shown | SHOWN)

    @get("/walk-in", access=ACCESS)
    async def walk_in(
        self,
        request: AnyRequest,
        session: Session,
        ends_at: FromQuery[str] = "",
        pick_up_branch_id: FromQuery[str] = "",
        return_branch_id: FromQuery[str] = "",
    ) -> Page:
        """From now until …: what is free, and for how much with what goes with it."""
        usual = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1, hours=1)
        branches = await network.read(session)
        typed = {
            "ends_at": ends_at or wall(usual),
            "pick_up_branch_id": pick_up_branch_id
            or (branches.names and str(branches.main_id))
            or "",
            "return_branch_id": return_branch_id,
        }
        chosen = chosen_in(request)
        form = bind(UntilInput, typed | gathered(chosen))
        context: dict[str, Any] = {
            "form": form,
            "found": None,
            "wall": wall,
            "chosen": urlencode(chosen, doseq=True),
            "branch_names": branches.names,
        }
        try:
            given = form.value
            found = await calendar.walk_in(
                session, given.ends_at, given.pick_up_branch_id, given.return_branch_id, given
            )
            context["found"] = found
            context["limits"] = {
                each.vehicle_class.id: limits.texts(session, each.vehicle_class, each.broken)
                for each in found.offers
            }
        except DomainError as error:
            context["form"] = form.refuse(error)
            return Page("car_hire/desk/walk_in.html", context, status=error.status)
        return Page("car_hire/desk/walk_in.html", context)


class Changes(Controller):
    """One booking's dates and car."""

    path = f"{PATH}/bookings/{{booking_id:uuid}}"
    include_in_schema = False

    @get("/change", access=ACCESS)
    async def show(self, session: Session, booking_id: FromPath[UUID]) -> Page:
        """Everything that can be changed of a booking."""
        return await _change_page(session, booking_id)

    @post("/difference", access=ACCESS, status_code=200)
    async def difference(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page:
        """What other dates would cost."""
        form = await posted(request, DatesInput)
        try:
            given = form.value
            made = await changing.preview(session, booking_id, given.starts_at, given.ends_at)
        except DomainError as error:
            return await _change_page(session, booking_id, form.refuse(error), error=error)
        return await _change_page(session, booking_id, form, made)

    @post("/dates", access=ACCESS)
    async def dates(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Extend, shorten or shift."""
        form = await posted(request, DatesInput)
        try:
            given = form.value
            await changing.change_dates(
                session, booking_id, given.starts_at, given.ends_at, given.version
            )
        except DomainError as error:
            return await _change_page(session, booking_id, form.refuse(error), error=error)
        return _back(booking_id, _("The dates are changed"))

    @post("/car", access=ACCESS)
    async def car(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Give the booking another car."""
        form = await posted(request, CarInput)
        try:
            await changing.move(session, booking_id, form.value.vehicle_id)
        except DomainError as error:
            return await _change_page(session, booking_id, error=error)
        return _back(booking_id, _("The booking has another car"))

    @post("/swap", access=ACCESS)
    async def swap(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Exchange cars with another booking."""
        form = await posted(request, SwapInput)
        try:
            other = await bookings.by_number(session, form.value.number)
            await changing.swap(session, booking_id, other.id)
        except DomainError as error:
            return await _change_page(session, booking_id, error=error)
        return _back(booking_id, _("The bookings have each other's car"))

    @post("/pin", access=ACCESS)
    async def pin(self, session: Session, booking_id: FromPath[UUID]) -> SeeOther:
        """Keep the booking on its car."""
        await changing.pin(session, booking_id)
        return _back(booking_id, _("It stays on this car"))

    @post("/unpin", access=ACCESS)
    async def unpin(self, session: Session, booking_id: FromPath[UUID]) -> SeeOther:
        """Let the booking be moved."""
        await changing.unpin(session, booking_id)
        return _back(booking_id, _("It may be moved to make room"))


class Blocks(Controller):
    """Times in which a car is not for hire."""

    path = f"{PATH}/fleet/{{vehicle_id:uuid}}/blocks"
    include_in_schema = False

    @get(access=permission(FLEET))
    async def show(self, session: Session, vehicle_id: FromPath[UUID]) -> Page:
        """What a car was and is kept back for, and a form for more."""
        return await _blocks_page(session, vehicle_id, blank(BlockInput))

    @post(access=permission(FLEET), idempotent=True)
    async def add(
        self, request: AnyRequest, session: Session, vehicle_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Keep the car back."""
        form = await posted(request, BlockInput)
        try:
            given = form.value
            way = blocks.add_and_move if given.move else blocks.add
            await way(session, vehicle_id, given)
        except DomainError as error:
            return await _blocks_page(session, vehicle_id, form.refuse(error), error.status)
        return SeeOther(f"{PATH}/fleet/{vehicle_id}/blocks", flash=_("The car is kept back"))

    @post("/{block_id:uuid}/end", access=permission(FLEET))
    async def end(
        self, session: Session, vehicle_id: FromPath[UUID], block_id: FromPath[UUID]
    ) -> SeeOther:
        """The car is back for hire."""
        await blocks.end(session, block_id)
        return SeeOther(f"{PATH}/fleet/{vehicle_id}/blocks", flash=_("The car is back for hire"))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(_("Enter a day like 2026-03-31"), field="first") from None


def _back(booking_id: UUID, flash: Any) -> SeeOther:
    return SeeOther(f"{PATH}/bookings/{booking_id}", flash=flash)


async def _change_page(
    session: AsyncSession,
    booking_id: UUID,
    form: Bound[DatesInput] | None = None,
    made: Repriced | None = None,
    *,
    error: DomainError | None = None,
) -> Page:
    booking = await bookings.one(session, booking_id)
    cars = await changing.cars_for(session, booking)
    usual: dict[str, Any] = {
        "starts_at": booking.starts_at, "ends_at": booking.ends_at, "version": booking.version,
    }  # fmt: skip
    return Page(
        "car_hire/desk/change.html",
        {
            "booking": booking,
            "car": await fleet.vehicle(session, booking.vehicle_id),
            "form": form or blank(DatesInput, usual),
            "made": made,
            "error": None if form else error,
            "car_form": blank(CarInput),
            "car_names": {str(each.id): each.title for each in cars},
            "swap_form": blank(SwapInput),
            "has_branches": bool((await network.read(session)).names),
            **SHOWN,
        },
        status=error.status if error else 200,
    )


async def _blocks_page(
    session: AsyncSession, vehicle_id: UUID, form: Bound[BlockInput], status: int = 200
) -> Page:
    now: datetime = clock.now()
    return Page(
        "car_hire/desk/blocks.html",
        {
            "vehicle": await fleet.vehicle(session, vehicle_id),
            "rows": await blocks.of_vehicle(session, vehicle_id),
            "reasons": BLOCK_REASONS,
            "now": now,
            "form": form,
        },
        status=status,
    )


CONTROLLERS = (Calendar, Changes, Blocks)
