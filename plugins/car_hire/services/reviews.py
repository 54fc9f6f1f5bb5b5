"""Reviews: asked for a day after the return, answered once, read by the owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth.tokens import MAX_LENGTH, digest, fresh_token
from core.errors import Conflict, NotFound
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.models import Booking, Customer, Hire, Review
from plugins.car_hire.schemas import ReviewInput
from plugins.car_hire.services import emitting

OPEN_FOR: Final = timedelta(days=60)
PAGE_SIZE: Final = 50

Listed = Row[Review, str, str, UUID]
"""A review with its customer's name, its booking's number and id."""


class Answered(Conflict):
    """A link works once."""

    code = "car_hire.review_answered"
    title = _("This hire was reviewed already. Thank you")


class Closed(Conflict):
    """Nobody remembers a hire of long ago."""

    code = "car_hire.review_closed"
    title = _("The time for this review is over")


async def open_for(session: AsyncSession, hire: Hire, customer_id: UUID) -> str | None:
    """The secret of a link by which ``hire`` can be reviewed; None if one was made before."""
    secret, now = fresh_token(), clock.now()
    made = (
        insert(Review)
        .values(
            id=new_id(), hire_id=hire.id, customer_id=customer_id, link=digest(secret),
            asked_at=now, expires_at=now + OPEN_FOR,
        )
        .on_conflict_do_nothing(index_elements=["hire_id"])
        .returning(Review.id)
    )  # fmt: skip
    return secret if await session.scalar(made) else None


async def by_link(session: AsyncSession, secret: str) -> Review:
    """What the link with ``secret`` opens.

    Raises:
        NotFound: nothing.
        Closed: it is too late.
    """
    return await _found(session, secret)


async def _found(session: AsyncSession, secret: str, *, lock: bool = False) -> Review:
    query = select(Review).where(Review.link == digest(secret[:MAX_LENGTH]))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = await session.scalar(query)
    if found is None:
        raise NotFound(_("This link does not lead to a review"))
    if found.answered_at is None and found.expires_at < clock.now():
        raise Closed
    return found


async def booking_of(session: AsyncSession, review: Review) -> Booking:
    """The booking that is reviewed."""
    query = select(Booking).join(Hire, Hire.booking_id == Booking.id)
    return (await session.scalars(query.where(Hire.id == review.hire_id))).one()


async def answer(session: AsyncSession, secret: str, given: ReviewInput) -> Review:
    """Keep what the customer says. The link does nothing more after that.

    Raises:
        NotFound: there is no such link.
        Answered: it was used before.
        Closed: it is too late.
    """
    review = await _found(session, secret, lock=True)
    if review.answered_at is not None:
        raise Answered
    review.answered_at = clock.now()
    review.stars, review.remarks = int(given.stars), given.remarks
    await session.flush()
    detail = {"stars": review.stars}
    await audit.record(session, "car_hire.reviewed", "car_hire.hire", review.hire_id, detail)
    await emitting.reviewed(session, review)
    return review


async def page(
    session: AsyncSession, *, stars: int | None = None, before: UUID | None = None
) -> Sequence[Listed]:
    """A page of answered reviews, the newest hires first, one more than fits."""
    query = (
        select(Review, Customer.name, Booking.number, Booking.id)
        .join(Customer, Customer.id == Review.customer_id)
        .join(Hire, Hire.id == Review.hire_id)
        .join(Booking, Booking.id == Hire.booking_id)
        .where(Review.answered_at.is_not(None))
        .order_by(Review.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if stars:
        query = query.where(Review.stars == stars)
    if before:
        query = query.where(Review.id < before)
    return (await session.execute(query)).all()


@dataclass(frozen=True, slots=True)
class Summary:
    """How many answered, of how many who were asked; ``average`` None without an answer."""

    asked: int
    answered: int
    average: float | None


async def summary(session: AsyncSession) -> Summary:
    """What all reviews say together."""
    query = select(func.count(), func.count(Review.stars), func.avg(Review.stars))
    asked, answered, average = (await session.execute(query)).one()
    return Summary(asked, answered, None if average is None else float(average))
