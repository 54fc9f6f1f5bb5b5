"""Other extras for a booking that stands: at the desk, and by the customer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _
from core.permissions import member, permission
from core.web.forms import Bound, bind, typed_fields
from core.web.pages import Page, SeeOther
from plugins.car_hire.routes.choosing import gathered, kept, status_of
from plugins.car_hire.routes.http import DESK, AnyRequest, check_own, shown_again, version_seen
from plugins.car_hire.schemas_extras import ChoicesInput
from plugins.car_hire.services import bookings, quotes
from plugins.car_hire.services.describe import told
from plugins.car_hire.services.differences import Repriced
from plugins.car_hire.services.extras import quoting, showing

AT_DESK = "/car-hire/desk/bookings"
OWN = "/car-hire/bookings"
Session = NamedDependency[AsyncSession]


class DeskExtras(Controller):
    """By the desk."""

    path = f"{AT_DESK}/{{booking_id:uuid}}/extras"
    include_in_schema = False

    @get(access=permission(DESK))
    async def show(self, session: Session, booking_id: FromPath[UUID]) -> Page:
        """What goes with the booking, and what could."""
        return await _page(session, "desk", booking_id)

    @post("/difference", access=permission(DESK), status_code=200)
    async def difference(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page:
        """What other extras would cost."""
        return await _difference(request, session, "desk", booking_id)

    @post(access=permission(DESK))
    async def change(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Take them."""
        return await _change(request, session, "desk", booking_id)


class OwnExtras(Controller):
    """By the customer."""

    path = f"{OWN}/{{booking_id:uuid}}/extras"
    include_in_schema = False

    @get(access=member)
    async def show(self, session: Session, booking_id: FromPath[UUID]) -> Page:
        """What goes with one's booking, and what could."""
        await check_own(session, await bookings.one(session, booking_id))
        return await _page(session, "site", booking_id)

    @post("/difference", access=member, status_code=200)
    async def difference(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page:
        """What other extras would cost."""
        await check_own(session, await bookings.one(session, booking_id))
        return await _difference(request, session, "site", booking_id)

    @post(access=member)
    async def change(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Take them."""
        await check_own(session, await bookings.one(session, booking_id))
        return await _change(request, session, "site", booking_id)


async def _difference(
    request: AnyRequest, session: AsyncSession, area: str, booking_id: UUID
) -> Page:
    typed = await typed_fields(request)
    version_seen(typed)
    form = bind(ChoicesInput, gathered(typed))
    try:
        made = await quoting.preview(session, booking_id, form.value)
    except DomainError as error:
        status = status_of(request, error)
        return await _page(session, area, booking_id, form.refuse(error), status=status)
    return await _page(session, area, booking_id, form, made)


async def _change(
    request: AnyRequest, session: AsyncSession, area: str, booking_id: UUID
) -> Page | SeeOther:
    typed = await typed_fields(request)
    expected = version_seen(typed)
    form = bind(ChoicesInput, gathered(typed))
    try:
        await quoting.change(session, booking_id, form.value, expected)
    except DomainError as error:
        form = shown_again(form, error, expected)
        return await _page(session, area, booking_id, form, status=error.status)
    back = AT_DESK if area == "desk" else OWN
    return SeeOther(f"{back}/{booking_id}", flash=_("The extras are changed"))


async def _page(
    session: AsyncSession,
    area: str,
    booking_id: UUID,
    form: Bound[Any] | None = None,
    made: Repriced | None = None,
    status: int = 200,
) -> Page:
    booking = await bookings.one(session, booking_id)
    quote = await quotes.one(session, booking.quote_id)
    kept_lines = await quotes.lines(session, quote.id)
    lines = [told(line, quote.currency) for line in (made.priced.lines if made else kept_lines)]
    return Page(
        f"car_hire/{area}/booking_extras.html",
        {
            "booking": booking,
            "here": f"{AT_DESK if area == 'desk' else OWN}/{booking_id}",
            "form": form or kept(quote),
            "options": await showing.of_quote(session, quote),
            "made": made,
            "lines": lines,
            "total": made.priced.gross if made else quotes.money_of(quote, quote.gross),
        },
        status=status,
        block="choosing",
    )


CONTROLLERS = (DeskExtras, OwnExtras)
