"""How many of an extra are left when, and for whom they are kept.

Whoever writes a reservation holds the extra's lock, so that what was counted stays true until the
transaction ends. What is with a late customer is not promised to anybody for a day from now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict, FieldError
from core.i18n import _, gettext, in_reading
from core.ids import new_id
from core.web.formatting import moment
from plugins.car_hire.models import Booking, Extra, ExtraReservation
from plugins.car_hire.services.availability import LATE_HORIZON
from plugins.car_hire.services.branches.whole import WHOLE
from plugins.car_hire.services.extras.locking import lock_extras

Period = Range[datetime]
_SILENTLY: Final = {"synchronize_session": False}


class ExtraUnavailable(Conflict):
    """There are not enough of an extra; ``errors`` say of which, and when there are again."""

    code = "car_hire.extra_unavailable"
    title = _("Something that you chose is taken for that time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """So many that are kept from ``begins`` up to ``ends``."""

    extra_id: UUID
    begins: datetime
    ends: datetime
    quantity: int


def taken(kept: Iterable[Kept], begins: datetime, ends: datetime) -> int:
    """The most that are kept at one moment from ``begins`` up to ``ends``."""
    overlapping = [each for each in kept if each.begins < ends and each.ends > begins]
    moments = {max(each.begins, begins) for each in overlapping}
    return max(
        (
            sum(each.quantity for each in overlapping if each.begins <= at < each.ends)
            for at in moments
        ),
        default=0,
    )


def free_again(
    kept: Sequence[Kept], begins: datetime, ends: datetime, allowed: int
) -> datetime | None:
    """The first moment from ``begins`` on when at most ``allowed`` are kept for as long as from
    ``begins`` to ``ends``; None if more are wanted than there are."""
    if allowed < 0:
        return None
    length = ends - begins
    moments = sorted({each.ends for each in kept if each.ends > begins})
    return next((at for at in moments if taken(kept, at, at + length) <= allowed), None)


async def left(
    session: AsyncSession, extras: Iterable[Extra], period: Period, but: UUID | None = None
) -> dict[UUID, int]:
    """How many of each counted extra are free for the whole of ``period``."""
    counted = [each for each in extras if each.stock is not None]
    kept = await _kept(session, [each.id for each in counted], period, but)
    begins, ends = _ends(period)
    return {
        each.id: max(0, (each.stock or 0) - taken(_of(kept, each.id), begins, ends))
        for each in counted
    }


async def refuse_lacking(
    session: AsyncSession, wanted: Mapping[str, int], period: Period, but: UUID | None = None
) -> list[Extra]:
    """The extras with these codes, if there are enough of each for the whole of ``period``; what
    the booking ``but`` has does not count.

    Raises:
        ExtraUnavailable: naming each that lacks, and when there are enough again.
    """
    extras = await _by_code(session, wanted)
    counted = [each for each in extras if each.stock is not None]
    kept = await _kept(session, [each.id for each in counted], period, but)
    begins, ends = _ends(period)
    errors = []
    for each in counted:
        own, stock = _of(kept, each.id), each.stock or 0
        free = stock - taken(own, begins, ends)
        if wanted[each.code] > free:
            again = free_again(own, begins, ends, stock - wanted[each.code])
            errors.append(FieldError(f"extras.{each.code}", _lack(each, max(0, free), again)))
    if errors:
        raise ExtraUnavailable(str(errors[0].message), errors=errors)
    return extras


def _lack(extra: Extra, free: int, again: datetime | None) -> str:
    words = {"name": in_reading(extra.texts), "free": free}
    if free:
        text = gettext("%(name)s: only %(free)s free for that time.") % words
    else:
        text = gettext("%(name)s: none is free for that time.") % words
    if again is None:
        return text
    return f"{text} {gettext('Enough again from %(when)s.') % {'when': moment(again)}}"


async def reserve(
    session: AsyncSession, booking_id: UUID, wanted: Mapping[str, int], period: Period
) -> None:
    """Keep so many of each extra, by code, for a booking, in place of what it has.

    Raises:
        ExtraUnavailable: naming each that lacks, and when there are enough again.
        DecidedMeanwhile: somebody else decides about one of them for too long.
    """
    if not wanted:
        await release(session, booking_id)
        return
    known = await _by_code(session, wanted)
    await lock_extras(session, [each.id for each in known])
    extras = await refuse_lacking(session, wanted, period, booking_id)
    await release(session, booking_id)
    rows: list[dict[str, Any]] = [
        {"id": new_id(), "booking_id": booking_id, "extra_id": each.id,
         "quantity": wanted[each.code], "period": period}
        for each in extras
    ]  # fmt: skip
    if rows:
        await session.execute(insert(ExtraReservation), rows)


async def move(session: AsyncSession, booking_id: UUID, period: Period) -> None:
    """Keep what a booking has for another time.

    Raises:
        ExtraUnavailable: naming each that lacks then, and when there are enough again.
        DecidedMeanwhile: somebody else decides about one of them for too long.
    """
    wanted = await of_booking(session, booking_id)
    if wanted:
        await reserve(session, booking_id, wanted, period)


async def release(session: AsyncSession, booking_id: UUID) -> None:
    """Give back what a booking has, if it has anything."""
    gone = delete(ExtraReservation).where(ExtraReservation.booking_id == booking_id)
    with session.no_autoflush:  # whoever asks is in the middle of changing other rows
        await session.execute(gone, execution_options=_SILENTLY)


async def of_booking(session: AsyncSession, booking_id: UUID) -> dict[str, int]:
    """How many of which extra are kept for a booking, by code."""
    query = (
        select(Extra.code, ExtraReservation.quantity)
        .join(ExtraReservation, ExtraReservation.extra_id == Extra.id)
        .where(ExtraReservation.booking_id == booking_id)
    )
    with session.no_autoflush:
        return {row.code: row.quantity for row in await session.execute(query)}


async def _by_code(session: AsyncSession, wanted: Mapping[str, int]) -> list[Extra]:
    if not wanted:
        return []
    query = select(Extra).where(Extra.code.in_(wanted), Extra.kind == "extra").order_by(Extra.code)
    # The stock may have changed while the lock was waited for.
    fresh = query.execution_options(populate_existing=True)
    with session.no_autoflush:
        return list(await session.scalars(fresh))


async def _kept(
    session: AsyncSession, extra_ids: Sequence[UUID], period: Period, but: UUID | None
) -> list[Kept]:
    """What is kept of some extras from the beginning of ``period`` on."""
    if not extra_ids:
        return []
    now = clock.now()
    since = func.tstzrange(min(_ends(period)[0], now - LATE_HORIZON), None)
    query = (
        select(ExtraReservation, Booking.state, Booking.ends_at)
        .join(Booking, Booking.id == ExtraReservation.booking_id)
        .where(
            ExtraReservation.extra_id.in_(extra_ids),
            or_(ExtraReservation.period.bool_op("&&")(since), Booking.state == "out"),
        )
    )
    if but is not None:
        query = query.where(ExtraReservation.booking_id != but)
    kept = []
    with session.no_autoflush:
        rows = (await session.execute(query.execution_options(**WHOLE))).all()
    for row, state, due in rows:
        begins, ends = _ends(row.period)
        if state == "out" and due < now:
            ends = max(ends, now + LATE_HORIZON)
        kept.append(Kept(extra_id=row.extra_id, begins=begins, ends=ends, quantity=row.quantity))
    return kept


def _of(kept: Iterable[Kept], extra_id: UUID) -> list[Kept]:
    return [each for each in kept if each.extra_id == extra_id]


def _ends(period: Period) -> tuple[datetime, datetime]:
    assert period.lower is not None
    assert period.upper is not None
    return period.lower, period.upper
