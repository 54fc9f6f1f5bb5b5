"""One's own booking once more, by one button."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, post
from litestar.params import FromPath

from core.errors import DomainError
from core.i18n import _
from core.permissions import member
from core.throttle import Allowance
from core.web.formatting import wall
from core.web.http import Session
from core.web.pages import SeeOther
from plugins.car_hire.routes.http import check_own
from plugins.car_hire.schemas import QuoteInput
from plugins.car_hire.services import bookings, quotes, repeating
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.storefront.addresses import SITE

REPEATED: Final = Allowance("car_hire.repeated", 30, 10 * 60)
"""Prices kept for one address by this button: apart from those that are searched for."""


class Repeating(Controller):
    """What was hired before."""

    path = f"{SITE}/bookings/{{booking_id:uuid}}/again"
    include_in_schema = False

    @post(access=member, idempotent=True, allowance=REPEATED)
    async def again(self, session: Session, booking_id: FromPath[UUID]) -> SeeOther:
        """The price of the same for the next such days; where that cannot be had, the search."""
        booking = await bookings.one(session, booking_id)
        await check_own(session, booking)
        wanted = await repeating.wanted(session, booking)
        try:
            await network.open_for(session, wanted)
            made = await quotes.make(session, wanted)
        except DomainError as error:
            return SeeOther(_search(wanted), flash=error.message, level="warning")
        flash = _("The same as before; change the dates if you like")
        return SeeOther(f"{SITE}/quotes/{made.id}", flash=flash)


def _search(wanted: QuoteInput) -> str:
    asked = {
        "starts_at": wall(wanted.starts_at),
        "ends_at": wall(wanted.ends_at),
        "class_id": wanted.class_id,
        "pick_up_branch_id": wanted.pick_up_branch_id,
        "return_branch_id": wanted.return_branch_id,
    }
    return f"{SITE}?{urlencode(asked)}#cars"


CONTROLLERS = (Repeating,)
