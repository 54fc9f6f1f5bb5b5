"""Another branch for the return of a booking."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _
from core.permissions import permission
from core.web.forms import Bound, blank, posted
from core.web.pages import Page, SeeOther
from plugins.car_hire.routes.http import DESK, SHOWN, AnyRequest
from plugins.car_hire.schemas_branches import ReturnBranchInput
from plugins.car_hire.services import bookings
from plugins.car_hire.services.branches import network, rerouting
from plugins.car_hire.services.differences import Repriced

BOOKINGS = "/car-hire/desk/bookings"
Session = NamedDependency[AsyncSession]


class ReturnBranch(Controller):
    """Where a booking ends."""

    path = f"{BOOKINGS}/{{booking_id:uuid}}/return-branch"
    include_in_schema = False

    @get(access=permission(DESK))
    async def show(self, session: Session, booking_id: FromPath[UUID]) -> Page:
        """Which branches there are."""
        return await _page(session, booking_id, blank(ReturnBranchInput))

    @post("/difference", access=permission(DESK), status_code=200)
    async def difference(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page:
        """What it would cost."""
        form = await posted(request, ReturnBranchInput)
        try:
            made = await rerouting.preview(session, booking_id, form.value.return_branch_id)
        except DomainError as error:
            return await _page(session, booking_id, form.refuse(error), status=error.status)
        return await _page(session, booking_id, form, made)

    @post(access=permission(DESK))
    async def change(
        self, request: AnyRequest, session: Session, booking_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """Let the car come back there."""
        form = await posted(request, ReturnBranchInput)
        try:
            given = form.value
            await rerouting.change(session, booking_id, given.return_branch_id, given.version)
        except DomainError as error:
            return await _page(session, booking_id, form.refuse(error), status=error.status)
        return SeeOther(f"{BOOKINGS}/{booking_id}", flash=_("The return branch is changed"))


async def _page(
    session: AsyncSession,
    booking_id: UUID,
    form: Bound[ReturnBranchInput],
    made: Repriced | None = None,
    status: int = 200,
) -> Page:
    branches = await network.read(session)
    booking = await bookings.one(session, booking_id)
    others = {
        key: name for key, name in branches.names.items() if key != str(booking.return_branch_id)
    }
    return Page(
        "car_hire/desk/return_branch.html",
        {
            "booking": booking,
            "branch_names": branches.told,
            "branch_choices": others,
            "form": form,
            "made": made,
            **SHOWN,
        },
        status=status,
    )


CONTROLLERS = (ReturnBranch,)
