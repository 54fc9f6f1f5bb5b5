"""The desk finds anything, and minds what it knows of a customer."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _
from core.permissions import permission
from core.web.forms import posted
from core.web.pages import Page, SeeOther
from plugins.car_hire.routes.customers import customer_page
from plugins.car_hire.routes.http import DESK, SHOWN, AnyRequest
from plugins.car_hire.schemas import BlockCustomerInput, NoteInput
from plugins.car_hire.services import minding, searching

PATH = "/car-hire/desk"
ACCESS = permission(DESK)
Session = NamedDependency[AsyncSession]


class Search(Controller):
    """One field for everything."""

    path = f"{PATH}/search"
    include_in_schema = False

    @get(access=ACCESS)
    async def search(self, session: Session, text: FromQuery[str] = "") -> Page | SeeOther:
        """What fits; a booking that alone fits opens at once."""
        found = await searching.everything(session, text[:80])
        if found.only_booking is not None:
            return SeeOther(f"{PATH}/bookings/{found.only_booking}")
        return Page("car_hire/desk/search.html", {"text": text, "found": found, **SHOWN})


class Minding(Controller):
    """Notes and blocks of one customer."""

    path = f"{PATH}/customers/{{customer_id:uuid}}"
    include_in_schema = False

    @post("/notes", access=ACCESS)
    async def note(
        self, request: AnyRequest, session: Session, customer_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Write something down for colleagues."""
        form = await posted(request, NoteInput)
        try:
            await minding.note(session, customer_id, form.value)
        except DomainError as error:
            refused = form.refuse(error)
            return await customer_page(
                session, customer_id=customer_id, note=refused, status=error.status
            )
        return SeeOther(f"{PATH}/customers/{customer_id}", flash=_("The note is kept"))

    @post("/block", access=ACCESS)
    async def block(
        self, request: AnyRequest, session: Session, customer_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Take no more bookings of them."""
        form = await posted(request, BlockCustomerInput)
        try:
            await minding.block(session, customer_id, form.value)
        except DomainError as error:
            refused = form.refuse(error)
            return await customer_page(
                session, customer_id=customer_id, block=refused, status=error.status
            )
        back = f"{PATH}/customers/{customer_id}"
        return SeeOther(back, flash=_("No more bookings are taken of them"))

    @post("/unblock", access=ACCESS)
    async def unblock(self, session: Session, customer_id: FromPath[UUID]) -> SeeOther:
        """Take bookings of them again."""
        await minding.unblock(session, customer_id)
        return SeeOther(f"{PATH}/customers/{customer_id}", flash=_("They may book again"))


CONTROLLERS = (Search, Minding)
