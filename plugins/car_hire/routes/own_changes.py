"""Customers change the dates of their own bookings, and see the difference first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _
from core.permissions import member
from core.web.forms import Bound, blank, posted
from core.web.pages import Page, SeeOther
from plugins.car_hire.routes.http import SHOWN, AnyRequest, check_own
from plugins.car_hire.schemas import DatesInput
from plugins.car_hire.services import bookings, fleet, self_service
from plugins.car_hire.services.differences import Repriced

SITE = "/car-hire"
Session = NamedDependency[AsyncSession]


class OwnChanges(Controller):
    """One's own booking, at other dates."""

    path = f"{SITE}/bookings/{{booking_id:uuid}}"
    include_in_schema = False

    @get("/change", access=member)
    async def show(self, session: Session, booking_id: FromPath[UUID]) -> Page:
        """The dates as they are."""
        return await _page(session, booking_id)

    @post("/difference", access=member, status_code=200)
    async def difference(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page:
        """What other dates would cost."""
        await check_own(session, await bookings.one(session, booking_id))
        form = await posted(request, DatesInput)
        try:
            given = form.value
            made = await self_service.preview(session, booking_id, given.starts_at, given.ends_at)
        except DomainError as error:
            return await _page(session, booking_id, form.refuse(error), status=error.status)
        return await _page(session, booking_id, form, made)

    @post("/dates", access=member)
    async def dates(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Change them."""
        await check_own(session, await bookings.one(session, booking_id))
        form = await posted(request, DatesInput)
        try:
            given = form.value
            await self_service.change(
                session, booking_id, given.starts_at, given.ends_at, given.version
            )
        except DomainError as error:
            return await _page(session, booking_id, form.refuse(error), status=error.status)
        return SeeOther(f"{SITE}/bookings/{booking_id}", flash=_("Your dates are changed"))


async def _page(
    session: AsyncSession,
    booking_id: UUID,
    form: Bound[DatesInput] | None = None,
    made: Repriced | None = None,
    status: int = 200,
) -> Page:
    booking = await bookings.one(session, booking_id)
    await check_own(session, booking)
    usual: dict[str, Any] = {
        "starts_at": booking.starts_at, "ends_at": booking.ends_at, "version": booking.version,
    }  # fmt: skip
    return Page(
        "car_hire/site/change.html",
        {
            "booking": booking,
            "vehicle_class": await fleet.vehicle_class(session, booking.class_id),
            "may_change": await self_service.may_change(session, booking),
            "form": form or blank(DatesInput, usual),
            "made": made,
            **SHOWN,
        },
        status=status,
    )


CONTROLLERS = (OwnChanges,)
