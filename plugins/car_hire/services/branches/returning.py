"""What a car costs that came back elsewhere than agreed, or while nobody was there."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Invalid
from core.i18n import _
from plugins.car_hire.models import Booking, Quote
from plugins.car_hire.services import differences, pricing
from plugins.car_hire.services.branches import network


class CameBack(NamedTuple):
    """What the bill has to add; ``one_way`` is what it costs to bring the car back, or None."""

    out_of_hours: bool
    one_way: Decimal | None


async def priced(
    session: AsyncSession,
    booking: Booking,
    quote: Quote,
    branch_id: UUID | None,
    returned_at: datetime,
) -> CameBack:
    """What a return adds that the quote has not.

    A fee for the other branch is that of the price list that counts now; nobody agreed on one.

    Raises:
        Invalid: there is no such branch.
    """
    branches = await network.read(session, returned_at)
    if branch_id is not None and branch_id not in branches.branches:
        raise Invalid(_("Choose a branch"), field="return_branch_id")
    came_to = branch_id or booking.return_branch_id
    asked = msgspec.convert(quote.asked, pricing.Asked)
    closed = not branches.opening(came_to).is_open(returned_at)
    return CameBack(
        out_of_hours=closed and "return" not in asked.out_of_hours,
        one_way=await differences.one_way_fee(session)
        if came_to != booking.return_branch_id
        else None,
    )
