"""Say what happened to bookings, hires and papers, in the transaction in which it did."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.events import emit
from plugins.car_hire.events import (
    BookingCancelled,
    BookingChanged,
    BookingMade,
    BookingNotCollected,
    HireClosed,
    HireEvent,
    HireReturned,
    HireReviewed,
    HireStarted,
    PaperIssued,
)
from plugins.car_hire.models import Booking, Hire, Paper, Review


async def made(session: AsyncSession, booking: Booking) -> None:
    """A booking is firm."""
    await emit(session, BookingMade(**_booking(booking)))


async def changed(session: AsyncSession, booking: Booking) -> None:
    """A booking is another than it was; one that is not firm yet is told of when it is."""
    if booking.state in {"confirmed", "out"}:
        await session.flush()
        await emit(session, BookingChanged(**_booking(booking)))


async def cancelled(session: AsyncSession, booking: Booking) -> None:
    """A booking is cancelled."""
    await emit(
        session, BookingCancelled(**_booking(booking), fee=_plain(booking.fee or Decimal(0)))
    )


async def not_collected(session: AsyncSession, booking: Booking) -> None:
    """Nobody came."""
    fee = _plain(booking.fee or Decimal(0))
    await emit(session, BookingNotCollected(**_booking(booking), fee=fee))


async def started(session: AsyncSession, hire: Hire, booking: Booking) -> None:
    """A car has left."""
    await _hire(session, HireStarted, hire, booking)


async def returned(session: AsyncSession, hire: Hire, booking: Booking) -> None:
    """A car is back."""
    await _hire(session, HireReturned, hire, booking)


async def closed(session: AsyncSession, hire: Hire, booking: Booking) -> None:
    """A hire is over."""
    await _hire(session, HireClosed, hire, booking)


async def issued(session: AsyncSession, paper: Paper) -> None:
    """A paper has its number."""
    await emit(
        session,
        PaperIssued(
            paper_id=paper.id,
            kind=paper.kind,
            number=paper.number,
            issued_on=paper.issued_on,
            booking_id=paper.booking_id,
            refers_to=paper.refers_to,
            net=_plain(paper.net),
            tax=_plain(paper.tax),
            gross=_plain(paper.gross),
            currency=paper.currency,
        ),
    )


async def reviewed(session: AsyncSession, review: Review) -> None:
    """Somebody said how it was."""
    hire = await session.get_one(Hire, review.hire_id)
    told = HireReviewed(hire_id=hire.id, booking_id=hire.booking_id, stars=review.stars or 0)
    await emit(session, told)


async def _hire(session: AsyncSession, kind: type[HireEvent], hire: Hire, booking: Booking) -> None:
    await emit(
        session,
        kind(
            hire_id=hire.id,
            booking_id=booking.id,
            booking_number=booking.number,
            vehicle_id=hire.vehicle_id,
            state=hire.state,
            started_at=hire.started_at,
            returned_at=hire.returned_at,
            odometer_out=hire.odometer_out,
            odometer_in=hire.odometer_in,
            billed=_plain(hire.billed) if hire.billed is not None else None,
            currency=hire.currency,
        ),
    )


def _booking(booking: Booking) -> dict[str, Any]:
    return {
        "booking_id": booking.id,
        "number": booking.number,
        "version": booking.version,
        "state": booking.state,
        "channel": booking.channel,
        "class_id": booking.class_id,
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "pick_up_branch_id": booking.pick_up_branch_id,
        "return_branch_id": booking.return_branch_id,
        "gross": _plain(booking.gross),
        "currency": booking.currency,
    }


def _plain(amount: Decimal) -> str:
    """Without the zeros that the column keeps."""
    return f"{amount.normalize():f}"
