"""How often a code was used: a row for each booking that stands.

Whoever adds one holds the promotion's lock until the transaction ends, so that what was counted
stays true. In the order of locks promotions come last, after extras.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Conflict
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.errors import DecidedMeanwhile
from plugins.car_hire.models import Booking, Promotion, PromotionUse, Quote
from plugins.car_hire.schemas_promotions import STUDENT
from plugins.car_hire.services.locking import DEADLOCK, LOCK_TIMED_OUT, lock_vehicle, sqlstate

FIELD: Final = "promotion"


class UsedUp(Conflict):
    """Every use of the code is taken, or every one of this customer."""

    code = "car_hire.promotion_used_up"
    title = _("Every use of this code is taken. Leave it empty to go on without it")


class UsedByYou(UsedUp):
    """The customer had it as often as anybody may."""

    title = _("You have used this code already. Leave it empty to go on without it")


async def refuse_used_up(session: AsyncSession, found: Promotion) -> None:
    """Say early what booking would say: nothing is held by it.

    Raises:
        UsedUp: every use is taken.
    """
    if found.most_uses is not None:
        counted = select(func.count()).where(PromotionUse.promotion_id == found.id)
        if (await session.scalar(counted) or 0) >= found.most_uses:
            raise UsedUp(field=FIELD)


async def take(session: AsyncSession, booking: Booking, quote: Quote) -> None:
    """Count the booking among those made with the code of its quote, if it has one. That the code
    counts at all was promised with the price; that there is one left was not.

    Raises:
        UsedUp: every use is taken, or every one of this customer.
        DecidedMeanwhile: somebody else books with the code for too long.
    """
    kept = [each["code"] for each in quote.asked.get("discounts") or ()]
    codes = [each for each in kept if each != STUDENT]
    query = select(Promotion).where(Promotion.code.in_(codes))
    found = (await session.scalars(query)).one_or_none() if codes else None
    if found is None:
        return
    await _lock(session, found.id)
    await session.refresh(found)  # the limits may have changed while the lock was waited for
    counts = select(
        func.count(), func.count().filter(PromotionUse.customer_id == booking.customer_id)
    ).where(PromotionUse.promotion_id == found.id)
    used, own = (await session.execute(counts)).one()
    if found.most_uses is not None and used >= found.most_uses:
        raise UsedUp(field=FIELD)
    if found.most_each is not None and own >= found.most_each:
        raise UsedByYou(field=FIELD)
    session.add(
        PromotionUse(
            id=new_id(),
            promotion_id=found.id,
            booking_id=booking.id,
            customer_id=booking.customer_id,
        )
    )
    await session.flush()


async def give_back(session: AsyncSession, booking_id: UUID) -> None:
    """The booking is not to be: its code is free for another."""
    gone = delete(PromotionUse).where(PromotionUse.booking_id == booking_id)
    await session.execute(gone, execution_options={"synchronize_session": False})


async def counts(session: AsyncSession, promotion_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many bookings stand that were made with each code."""
    counted = select(PromotionUse.promotion_id, func.count()).group_by(PromotionUse.promotion_id)
    rows = await session.execute(counted.where(PromotionUse.promotion_id.in_(promotion_ids)))
    return {row[0]: row[1] for row in rows.all()}


async def _lock(session: AsyncSession, promotion_id: UUID) -> None:
    try:
        async with session.begin_nested():
            await lock_vehicle(session, promotion_id)  # ids differ, so one kind of lock will do
    except DBAPIError as problem:
        if sqlstate(problem) in {LOCK_TIMED_OUT, DEADLOCK}:
            raise DecidedMeanwhile from problem
        raise
