"""What customers change of their own bookings: the desk's change of dates, as far as the house
lets them, and at the same price as at the desk."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.i18n import _
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking
from plugins.car_hire.services import bookings, changing, fleet, limits
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.differences import Repriced


async def may_change(session: AsyncSession, booking: Booking) -> bool:
    """Whether the customer may change the dates now; of a car that is out, the return."""
    if booking.state == "out":
        return booking.ends_at > clock.now()
    if booking.state not in {"pending_payment", "confirmed"}:
        return False
    rules = await policy.read(session)
    return clock.now() < booking.starts_at - timedelta(hours=rules.change_hours)


async def preview(
    session: AsyncSession, booking_id: UUID, starts_at: datetime, ends_at: datetime
) -> Repriced:
    """What other dates would cost; nothing is written.

    Raises:
        NotNow: it is too late to change it oneself.
        OutsideLimits: the class is not hired so.
        Invalid: a branch is closed at a new time, or as ``changing.preview``.
        Collision: as ``changing.preview``.
    """
    await _check(session, booking_id, starts_at, ends_at)
    return await changing.preview(session, booking_id, starts_at, ends_at)


async def change(
    session: AsyncSession,
    booking_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    expected: int | None,
) -> Booking:
    """Change the dates.

    Raises:
        NotNow: it is too late to change it oneself.
        OutsideLimits: the class is not hired so.
        Invalid: a branch is closed at a new time, or as ``changing.change_dates``.
        Collision, EditedMeanwhile: as ``changing.change_dates``.
    """
    await _check(session, booking_id, starts_at, ends_at)
    return await changing.change_dates(session, booking_id, starts_at, ends_at, expected)


async def _check(
    session: AsyncSession, booking_id: UUID, starts_at: datetime, ends_at: datetime
) -> None:
    booking = await bookings.one(session, booking_id)
    if not await may_change(session, booking):
        raise NotNow(_("It is too late to change this here. Please call us"))
    if booking.state == "out" and ends_at < booking.ends_at:
        raise NotNow(_("Bring the car back whenever you like; the bill is made then"))
    await _refuse_closed(session, booking, starts_at, ends_at)
    if booking.state != "out":
        chosen = await fleet.vehicle_class(session, booking.class_id)
        await limits.refuse_change(session, booking, chosen, starts_at, ends_at)


async def _refuse_closed(
    session: AsyncSession, booking: Booking, starts_at: datetime, ends_at: datetime
) -> None:
    branches = await network.read(session, starts_at, ends_at)
    agreed: list[network.End] = []
    if starts_at == booking.starts_at:
        agreed.append("pick_up")
    if ends_at == booking.ends_at:
        agreed.append("return")
    branches.refuse_closed(Journey.of(booking), starts_at, ends_at, agreed)
