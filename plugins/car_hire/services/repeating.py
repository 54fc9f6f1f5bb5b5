"""The same hire once more: what a customer had before, on the next such days."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.scope import Tenant
from plugins.car_hire.models import Booking
from plugins.car_hire.schemas import QuoteInput
from plugins.car_hire.services import quotes

SOONEST: Final = 2
"""Days from today: tomorrow may be the last minute, and cost more."""


async def wanted(session: AsyncSession, booking: Booking) -> QuoteInput:
    """Class, branches, extras, covers and ages of ``booking``, from the next day of the same name
    in the week, at the same hours by the wall clock and for as long."""
    quote = await quotes.one(session, booking.quote_id)
    asked = quotes.asked_then(quote)
    starts_at, ends_at = _next(session, booking)
    return QuoteInput(
        class_id=booking.class_id,
        starts_at=starts_at,
        ends_at=ends_at,
        pick_up_branch_id=booking.pick_up_branch_id,
        return_branch_id=booking.return_branch_id,
        extras={
            each.extra.code: each.quantity for each in asked.chosen if each.extra.kind == "extra"
        },
        covers=[each.extra.code for each in asked.chosen if each.extra.kind == "cover"],
        age=asked.ages[0] if asked.ages else None,
        ages=list(asked.ages[1:]),
    )


def _next(session: AsyncSession, booking: Booking) -> tuple[datetime, datetime]:
    tenant: Tenant = session.info["tenant"]
    before, until = (
        clock.local(each, tenant.zone).replace(tzinfo=None)
        for each in (booking.starts_at, booking.ends_at)
    )
    first = clock.today(tenant.zone) + timedelta(days=SOONEST)
    day = first + timedelta(days=(before.weekday() - first.weekday()) % 7)
    starts = datetime.combine(day, before.time())
    return (
        clock.from_wall(starts, tenant.zone),
        clock.from_wall(starts + (until - before), tenant.zone),
    )
