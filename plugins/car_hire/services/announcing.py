"""What customers are told of their bookings in time: what changed, what nears, and how it was.

Each is a job that writes a letter if, when it runs, things still are as they were said to be.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs
from core.money import Money
from core.scope import Tenant
from plugins.car_hire import policy
from plugins.car_hire.models import Booking
from plugins.car_hire.services import bookings, emitting, hires, letters, reviews

TELL_OF_CHANGE: Final = "car_hire.tell_of_change"
PICK_UP_NEARS: Final = "car_hire.pick_up_nears"
RETURN_NEARS: Final = "car_hire.return_nears"
ASK_REVIEW: Final = "car_hire.ask_review"

SHORT: Final = timedelta(days=2)
"""Whoever hires for less than this is not reminded of the return a day before it."""
SHORTLY: Final = timedelta(hours=2)
REVIEW_AFTER: Final = timedelta(days=1)


async def booked(session: AsyncSession, booking_id: UUID) -> None:
    """The car is theirs: confirm it now, and remind them later."""
    await letters.confirmation(session, booking_id)
    await _remind(session, await bookings.one(session, booking_id))


async def changed(session: AsyncSession, booking: Booking, before: Decimal) -> None:
    """A booking has other dates, or a car of another class; ``before`` is what it cost."""
    if booking.state not in {"confirmed", "out"}:
        return  # what is confirmed later says how it is then
    await emitting.changed(session, booking)
    told = {
        "booking_id": booking.id,
        "class_id": booking.class_id,
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "before": str(before),
    }
    await jobs.put(session, TELL_OF_CHANGE, told, key=f"changed:{booking.id}:{booking.version}")


async def tell_of_change(
    session: AsyncSession,
    booking_id: UUID,
    class_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    before: Decimal,
) -> None:
    """Write of a change, unless another came after it, of which another job writes."""
    booking = await bookings.one(session, booking_id)
    present = (booking.class_id, booking.starts_at, booking.ends_at)
    if booking.state in {"confirmed", "out"} and present == (class_id, starts_at, ends_at):
        await letters.change(session, booking, Money(before, booking.currency))
        await _remind(session, booking)


async def _remind(session: AsyncSession, booking: Booking) -> None:
    """Have the customer reminded of the pick-up and of the return, at their dates of now."""
    tenant: Tenant = session.info["tenant"]
    starts_at, ends_at = booking.starts_at, booking.ends_at
    if booking.state == "confirmed":
        due_at = day_before(starts_at, tenant.zone)
        await plan(session, booking.id, starts_at, PICK_UP_NEARS, due_at)
    is_short = ends_at - starts_at < SHORT
    due_at = ends_at - SHORTLY if is_short else day_before(ends_at, tenant.zone)
    await plan(session, booking.id, ends_at, RETURN_NEARS, due_at)


async def plan(
    session: AsyncSession, booking_id: UUID, at: datetime, job: str, due_at: datetime
) -> None:
    """Once, and not at all when the time has passed: they have just been told then."""
    if due_at > clock.now():
        told = {"booking_id": booking_id, "at": at}
        await jobs.put(session, job, told, key=f"{job}:{booking_id}:{at}", due_at=due_at)


def day_before(moment: datetime, zone: str) -> datetime:
    """The same time by the clocks of ``zone`` on the day before, be it 23, 24 or 25 hours."""
    wall = clock.local(moment, zone).replace(tzinfo=None)
    return clock.from_wall(wall - timedelta(days=1), zone)


async def pick_up_nears(session: AsyncSession, booking_id: UUID, at: datetime) -> None:
    """Remind of the pick-up, if it still is to be at that time."""
    booking = await bookings.one(session, booking_id)
    if booking.state == "confirmed" and booking.starts_at == at:
        await letters.pick_up(session, booking)


async def return_nears(session: AsyncSession, booking_id: UUID, at: datetime) -> None:
    """Remind of the return, if the car is out and still due at that time."""
    booking = await bookings.one(session, booking_id)
    if booking.state == "out" and booking.ends_at == at:
        await letters.return_due(session, booking)


async def returned(session: AsyncSession, hire_id: UUID) -> None:
    """The car is back: ask tomorrow how it was."""
    due_at = clock.now() + REVIEW_AFTER
    told = {"hire_id": hire_id}
    await jobs.put(session, ASK_REVIEW, told, key=f"review:{hire_id}", due_at=due_at)


async def ask_review(session: AsyncSession, hire_id: UUID) -> None:
    """Ask how a hire was, once, where the business wants to know."""
    if not (await policy.read(session)).ask_reviews:
        return
    hire = await hires.one(session, hire_id)
    booking = await bookings.one(session, hire.booking_id)
    secret = await reviews.open_for(session, hire, booking.customer_id)
    if secret is not None:
        await letters.review(session, booking, secret)
