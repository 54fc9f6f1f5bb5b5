"""Another branch for the return of a booking or a hire, as the desk agrees it with the customer."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import services as audit
from core.errors import Invalid
from core.i18n import _
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Booking
from plugins.car_hire.services import announcing, bookings, changing, differences, occupying, quotes
from plugins.car_hire.services.branches import keeping, promised
from plugins.car_hire.services.differences import Repriced
from plugins.car_hire.services.editing import edit

CHANGEABLE = frozenset({"pending_payment", "confirmed", "out"})


async def preview(session: AsyncSession, booking_id: UUID, branch_id: UUID) -> Repriced:
    """What the return to another branch would cost; nothing is written.

    Raises:
        Invalid: there is no such branch, or it is the one that was agreed.
        Elsewhere: the car is wanted at another branch afterwards.
        NotNow: the booking is over.
    """
    booking = await bookings.one(session, booking_id)
    await _check(session, booking, branch_id)
    quote = await quotes.one(session, booking.quote_id)
    return await differences.of_return(session, quote, branch_id)


async def change(
    session: AsyncSession, booking_id: UUID, branch_id: UUID, expected: int | None = None
) -> Booking:
    """Let the car come back to another branch; the fee for that follows.

    Raises:
        Invalid: there is no such branch, or it is the one that was agreed.
        Elsewhere: the car is wanted at another branch afterwards; it says by whom.
        EditedMeanwhile: the booking changed since version ``expected``.
        NotNow: it is over, or just being paid.
    """
    booking = await bookings.locked(session, booking_id)
    with session.no_autoflush:  # the booking is written once, when all of it is known
        edit(booking, expected)
        await changing.check_payment(session, booking)
        await occupying.lock(session, [booking.vehicle_id])
        await _check(session, booking, branch_id)
        quote = await quotes.one(session, booking.quote_id)
        made = await differences.of_return(session, quote, branch_id)
        await occupying.reroute(session, booking.id, branch_id)
        before, cost = booking.return_branch_id, booking.gross
        booking.return_branch_id = branch_id
        await differences.keep(session, booking, quote, made)
    await audit.record(
        session, "car_hire.booking_rerouted", "car_hire.booking", booking.id,
        {"return_branch_id": [before, branch_id], "difference": str(made.difference.amount)},
    )  # fmt: skip
    await announcing.changed(session, booking, cost)
    return booking


async def _check(session: AsyncSession, booking: Booking, branch_id: UUID) -> None:
    if booking.state not in CHANGEABLE:
        raise NotNow
    await keeping.chosen(session, branch_id, "return_branch_id")
    if branch_id == booking.return_branch_id:
        raise Invalid(_("It comes back there already"), field="return_branch_id")
    found = await promised.elsewhere(session, booking.vehicle_id, booking.ends_at, branch_id)
    if found:
        raise promised.gone(found)
