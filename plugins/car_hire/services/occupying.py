"""A car's time is taken, changed and given back here, and nowhere else.

Whoever writes a period first holds the car's lock (``locking``), so that what ``in_the_way`` says
stays true until the transaction ends; the EXCLUDE constraint has the last word all the same.
Locks are taken in one order everywhere: hires, bookings by id, cars by id, vehicle rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.i18n import gettext
from plugins.car_hire.errors import Collision, DecidedMeanwhile
from plugins.car_hire.models import BLOCK_REASONS, Block, Booking, Occupancy
from plugins.car_hire.services.availability import FREE, IS_FULL, asked
from plugins.car_hire.services.branches import whereabouts
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.locking import (
    DEADLOCK,
    LOCK_TIMED_OUT,
    lock_key,
    lock_vehicle,
    sqlstate,
    try_vehicles,
)

Period = Range[datetime]

_WRITTEN: Final = (
    "id", "version", "number", "quote_id", "customer_id", "class_id", "starts_at", "ends_at",
    "state", "channel", "currency", "gross", "hold_until", "created_at", "pinned",
    "pick_up_branch_id", "return_branch_id",
)  # fmt: skip
_SILENTLY: Final = {"synchronize_session": False}

# One statement looks for a free car, takes its lock if nobody has it, and writes occupancy and
# booking: with a question and an answer each, a booking held its car three times as long.
_RANKED: Final = FREE.cte("free").prefix_with("MATERIALIZED")
_TAKEN: Final = (
    select(_RANKED.c.id).where(func.pg_try_advisory_xact_lock(lock_key(_RANKED.c.id))).limit(1)
).cte("taken")
_OCCUPIED: Final = (
    insert(Occupancy)
    .from_select(
        ["id", "vehicle_id", "period", "booking_id", "from_branch_id", "to_branch_id"],
        select(
            bindparam("id", type_=Occupancy.id.type),
            _TAKEN.c.id,
            bindparam("period", type_=Occupancy.period.type),
            bindparam("id", type_=Occupancy.id.type),
            bindparam("pick_up_branch_id", type_=Occupancy.id.type),
            bindparam("return_branch_id", type_=Occupancy.id.type),
        ),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .returning(Occupancy.vehicle_id)
).cte("occupied")
_BOOKED: Final = (
    insert(Booking)
    .from_select(
        [*_WRITTEN, "vehicle_id"],
        select(
            *(bindparam(name, type_=Booking.__table__.c[name].type) for name in _WRITTEN),
            _OCCUPIED.c.vehicle_id,
        ),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .returning(Booking.id)
).cte("booked")
_ATTEMPT: Final = select(
    select(_RANKED.c.id).limit(1).scalar_subquery().label("first"),
    select(_TAKEN.c.id).scalar_subquery().label("taken"),
    select(_OCCUPIED.c.vehicle_id).scalar_subquery().label("occupied"),
    select(_BOOKED.c.id).scalar_subquery().label("booked"),
    case((select(_RANKED.c.id).limit(1).scalar_subquery().is_(None), IS_FULL)).label("is_full"),
)

_TAKE: Final = (
    insert(Occupancy)
    .values(
        {
            name: bindparam(name, type_=Occupancy.__table__.c[name].type)
            for name in (
                "id",
                "vehicle_id",
                "period",
                "booking_id",
                "block_id",
                "from_branch_id",
                "to_branch_id",
            )
        }
    )
    .on_conflict_do_nothing()
    .returning(Occupancy.id)
)
_RELEASE: Final = delete(Occupancy).where(Occupancy.id == bindparam("reason"))
_OTHER: Final = aliased(Occupancy)
_WANTED: Final = bindparam("wanted", type_=Occupancy.period.type)
_CHANGE: Final = (
    update(Occupancy)
    .where(
        Occupancy.id == bindparam("reason"),
        ~select(_OTHER.id)
        .where(
            _OTHER.vehicle_id == bindparam("car"),
            _OTHER.period.bool_op("&&")(_WANTED),
            _OTHER.id != bindparam("reason"),
        )
        .exists(),
    )
    .values(vehicle_id=bindparam("car"), period=_WANTED)
    .returning(Occupancy.id)
)


class Attempt(NamedTuple):
    """``first`` is any free car; ``taken`` one with its lock; ``occupied`` the one that was given;
    ``booked`` says that the booking stands, and not another on its quote; ``is_full``, where no
    car is free, that no move of bookings would free one."""

    first: UUID | None
    taken: UUID | None
    occupied: UUID | None
    booked: UUID | None
    is_full: bool | None = None


async def attempt(session: AsyncSession, period: Period, values: dict[str, Any]) -> Attempt:
    """Write a booking on a car that is free for ``period`` and that nobody else decides about.

    It never waits. An occupancy whose booking exists already is given back.
    """
    journey = Journey(values["pick_up_branch_id"], values["return_branch_id"])
    given = asked(period, journey) | values | {"salt": str(values["quote_id"])}
    made = Attempt(*(await session.execute(_ATTEMPT, given)).one())
    if made.occupied is not None and made.booked is None:
        await release(session, values["id"])
    return made


async def take(
    session: AsyncSession,
    vehicle_id: UUID,
    period: Period,
    *,
    booking_id: UUID | None = None,
    block_id: UUID | None = None,
    journey: Journey | None = None,
) -> bool:
    """Give a locked car to a booking or a block; False if something is in the way.

    Without a ``journey`` the car stays where it is.
    """
    given = {
        "id": booking_id or block_id,
        "vehicle_id": vehicle_id,
        "period": period,
        "booking_id": booking_id,
        "block_id": block_id,
        "from_branch_id": journey.pick_up_branch_id if journey else None,
        "to_branch_id": journey.return_branch_id if journey else None,
    }
    return await session.scalar(_TAKE, given) is not None


async def release(session: AsyncSession, reason_id: UUID) -> None:
    """Give back what a booking or block has, if it has anything."""
    with session.no_autoflush:  # whoever asks is in the middle of changing other rows
        await session.execute(_RELEASE, {"reason": reason_id}, execution_options=_SILENTLY)


async def period_of(session: AsyncSession, reason_id: UUID) -> Period | None:
    """What a booking or block has of its car's time; None if nothing."""
    query = select(Occupancy.period).where(Occupancy.id == reason_id)
    return await session.scalar(query)


async def change(session: AsyncSession, reason_id: UUID, vehicle_id: UUID, period: Period) -> None:
    """Let a booking or block have ``period`` of a locked car in place of what it has.

    The row of the booking follows in the same transaction, or the transaction fails.

    Raises:
        Collision: something else has a part of it.
        Elsewhere: the car will be at another branch.
    """
    given = {"reason": reason_id, "car": vehicle_id, "wanted": period}
    if await session.scalar(_CHANGE, given, execution_options=_SILENTLY) is None:
        found = await in_the_way(session, [vehicle_id], period, but=[reason_id])
        if found:
            raise collision(found)
    await whereabouts.refuse_stranded(session, [reason_id])


async def reroute(session: AsyncSession, booking_id: UUID, branch_id: UUID) -> None:
    """Let the car of a booking, which is locked, end up at another branch.

    Raises:
        Elsewhere: it is wanted at another one afterwards.
    """
    moved = update(Occupancy).where(Occupancy.id == booking_id).values(to_branch_id=branch_id)
    await session.execute(moved, execution_options=_SILENTLY)
    await whereabouts.refuse_stranded(session, [booking_id])


async def exchange(session: AsyncSession, places: dict[UUID, tuple[UUID, Period]]) -> None:
    """Put several bookings on other locked cars at once, each with its car and period.

    Taken away first and given anew then: row by row they would collide with each other.

    Raises:
        Collision: something that does not move is in the way of one.
        Elsewhere: a car will be at another branch.
    """
    gone = (
        delete(Occupancy)
        .where(Occupancy.id.in_(places))
        .returning(Occupancy.id, Occupancy.from_branch_id, Occupancy.to_branch_id)
    )
    rows = await session.execute(gone, execution_options=_SILENTLY)
    journeys = {row.id: Journey(row.from_branch_id, row.to_branch_id) for row in rows}
    for booking_id, (vehicle_id, period) in places.items():
        journey = journeys[booking_id]
        if not await take(session, vehicle_id, period, booking_id=booking_id, journey=journey):
            found = await in_the_way(session, [vehicle_id], period)
            raise collision(found)
    await whereabouts.refuse_stranded(session, list(places))


@dataclass(frozen=True, slots=True, kw_only=True)
class InTheWay:
    """Something that has a part of the time that is wanted."""

    reason_id: UUID
    vehicle_id: UUID
    period: Period
    booking: Booking | None
    block: Block | None

    @property
    def name(self) -> str:
        """The booking's number, or why the car is kept back."""
        if self.block is not None:
            return str(BLOCK_REASONS[self.block.reason])
        return self.booking.number if self.booking else gettext("a booking of another branch")


async def in_the_way(
    session: AsyncSession, vehicle_ids: Collection[UUID], period: Period, but: Iterable[UUID] = ()
) -> Sequence[InTheWay]:
    """What has a part of ``period`` of some cars, the earliest first."""
    query = (
        select(Occupancy.id, Occupancy.vehicle_id, Occupancy.period, Booking, Block)
        .outerjoin(Booking, Booking.id == Occupancy.booking_id)
        .outerjoin(Block, Block.id == Occupancy.block_id)
        .where(
            Occupancy.vehicle_id.in_(vehicle_ids),
            Occupancy.period.overlaps(period),
            Occupancy.id.not_in(list(but)),
        )
        .order_by(func.lower(Occupancy.period), Occupancy.id)
    )
    return [
        InTheWay(reason_id=row[0], vehicle_id=row[1], period=row[2], booking=row[3], block=row[4])
        for row in (await session.execute(query)).all()
    ]


def collision(found: Sequence[InTheWay]) -> Collision:
    """A refusal that says what is in the way."""
    names = ", ".join(each.name for each in found)
    return Collision(gettext("In the way: %(what)s") % {"what": names}, found)


async def lock(session: AsyncSession, vehicle_ids: Iterable[UUID]) -> None:
    """Have several cars to oneself until the transaction ends, always in the same order.

    Raises:
        DecidedMeanwhile: somebody else keeps one of them for too long.
    """
    wanted = sorted(set(vehicle_ids))
    if await try_vehicles(session, wanted):
        return
    try:
        async with session.begin_nested():
            for vehicle_id in wanted:
                await lock_vehicle(session, vehicle_id)
    except DBAPIError as problem:
        if sqlstate(problem) in {LOCK_TIMED_OUT, DEADLOCK}:
            raise DecidedMeanwhile from problem
        raise


def blocked(starts_at: datetime, ends_at: datetime, buffer: timedelta) -> Period:
    """What a hire takes from the calendar: half open, so that the next may begin at its end."""
    return Range(starts_at, ends_at + buffer, bounds="[)")
