"""The desk's day: who comes, who brings back, who is late, which cars must be elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from core import clock
from core.scope import Tenant
from plugins.car_hire.models import Booking
from plugins.car_hire.services import bookings
from plugins.car_hire.services.branches import transfers

DAY_SHOWN: Final = 100
"""Of each list of the day; a fleet of thousands has more than a page can hold."""


STRANDED_AHEAD: Final = timedelta(days=3)
"""Time enough to bring a car from any branch to any other, a weekend included."""


@dataclass(frozen=True, slots=True)
class Today:
    """The desk's day: who comes, who brings back, who should have. The first of each are listed,
    and all are counted."""

    pick_ups: Sequence[bookings.Listed]
    returns: Sequence[bookings.Listed]
    late: Sequence[bookings.Listed]
    to_hand_over: int
    due_back: int
    overdue: int
    out: int
    moving: Sequence[transfers.OnTheWay]
    """Cars that leave for another branch today, or were to arrive before."""
    stranded: Sequence[transfers.StrandedBooking]


async def of_desk(session: AsyncSession, branch_id: UUID | None = None) -> Today:
    """What the desk has before it, by the tenant's calendar day: everywhere, or at one branch."""
    tenant: Tenant = session.info["tenant"]
    now = clock.now()
    midnight = clock.local(now, tenant.zone).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=None
    )
    ends = clock.from_wall(midnight + timedelta(days=1), tenant.zone)
    there, here = (
        _at(branch_id, Booking.pick_up_branch_id),
        _at(branch_id, Booking.return_branch_id),
    )
    is_out = and_(Booking.state == "out", here)
    pick_ups = and_(Booking.state == "confirmed", Booking.starts_at < ends, there)
    returns = and_(is_out, Booking.ends_at >= now, Booking.ends_at < ends)
    late = and_(is_out, Booking.ends_at < now)
    counts = select(
        func.count().filter(pick_ups),
        func.count().filter(returns),
        func.count().filter(late),
        func.count().filter(is_out),
    ).where(or_(is_out, pick_ups))
    to_hand_over, due_back, overdue, out = (await session.execute(counts)).one()
    return Today(
        pick_ups=await _first(session, pick_ups, Booking.starts_at),
        returns=await _first(session, returns, Booking.ends_at),
        late=await _first(session, late, Booking.ends_at),
        to_hand_over=to_hand_over,
        due_back=due_back,
        overdue=overdue,
        out=out,
        moving=await transfers.coming(session, branch_id, before=ends),
        stranded=await transfers.stranded(session, branch_id, STRANDED_AHEAD),
    )


def _at(branch_id: UUID | None, column: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    return true() if branch_id is None else column == branch_id


async def _first(
    session: AsyncSession, which: ColumnElement[bool], by: InstrumentedAttribute[datetime]
) -> Sequence[bookings.Listed]:
    query = bookings.listed().where(which).order_by(by, Booking.id).limit(DAY_SHOWN)
    return (await session.execute(query)).all()
