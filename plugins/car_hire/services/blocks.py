"""Times in which a car is not for hire: maintenance, transfers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import FieldError, Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Block
from plugins.car_hire.schemas import BlockInput
from plugins.car_hire.services import (
    availability,
    bookings,
    changing,
    fleet,
    making_room,
    occupying,
    quotes,
)
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.occupying import InTheWay, Period
from plugins.car_hire.services.waiting import freeing

SHOWN = 50


async def add(session: AsyncSession, vehicle_id: UUID, given: BlockInput) -> Block:
    """Keep a car back.

    Raises:
        Invalid: the times make no sense.
        Collision: the car is spoken for; it says by what. Move that first (``add_and_move``).
    """
    period = stretch(given)
    await fleet.vehicle(session, vehicle_id)
    await occupying.lock(session, [vehicle_id])
    return await write(session, _block(vehicle_id, given), period)


async def add_and_move(session: AsyncSession, vehicle_id: UUID, given: BlockInput) -> Block:
    """Keep a car back, and give the bookings in the way other cars of their class.

    Raises:
        Invalid: the times make no sense.
        Collision: not all of them can be moved; then none is.
    """
    period = stretch(given)
    await fleet.vehicle(session, vehicle_id)
    await move_away(session, await occupying.in_the_way(session, [vehicle_id], period))
    await occupying.lock(session, [vehicle_id])
    return await write(session, _block(vehicle_id, given), period)


async def move_away(session: AsyncSession, found: Sequence[InTheWay]) -> None:
    """Give the bookings among ``found`` other cars of their class.

    Raises:
        Collision: one of them cannot be moved, or is no booking.
    """
    booked = sorted(each.booking.id for each in found if each.booking is not None)
    for booking_id in booked:
        await bookings.locked(session, booking_id)
    for each in found:
        await _move_away(session, each)


async def _move_away(session: AsyncSession, each: InTheWay) -> None:
    booking = each.booking
    if booking is None or booking.pinned or booking.state not in making_room.MOVABLE:
        raise occupying.collision([each])
    salt = str(booking.id)
    journey = Journey.of(booking)
    free = await availability.free_vehicles(
        session, booking.class_id, each.period, journey, salt=salt
    )
    if not free:
        raise occupying.collision([each])
    await changing.move(session, booking.id, free[0])


def _block(vehicle_id: UUID, given: BlockInput) -> Block:
    return Block(
        id=new_id(),
        version=1,
        vehicle_id=vehicle_id,
        reason=given.reason,
        starts_at=given.starts_at,
        ends_at=given.ends_at,
        notes=given.notes,
        ended_early=False,
    )


async def write(
    session: AsyncSession, made: Block, period: Period, journey: Journey | None = None
) -> Block:
    """Keep a locked car back as ``made`` says; with a ``journey`` it ends up elsewhere.

    Raises:
        Collision: the car is spoken for; it says by what.
    """
    found = await occupying.in_the_way(session, [made.vehicle_id], period)
    if found:
        raise occupying.collision(found)
    session.add(made)
    await session.flush()
    taken = await occupying.take(
        session, made.vehicle_id, period, block_id=made.id, journey=journey
    )
    if not taken:
        raise occupying.collision(await occupying.in_the_way(session, [made.vehicle_id], period))
    await audit.record(
        session, "car_hire.vehicle_blocked", "car_hire.vehicle", made.vehicle_id,
        {"reason": made.reason, "from": made.starts_at, "to": made.ends_at},
    )  # fmt: skip
    return made


async def end(session: AsyncSession, block_id: UUID, expected: int | None = None) -> Block:
    """The car is back sooner: give back what is left, or all of it where it has not begun.

    Raises:
        NotFound: there is no such block.
        NotNow: it is over, or a transfer, which arrives or is called off.
    """
    found = await session.get(Block, block_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such block"))
    now = clock.now()
    if found.ended_early or found.ends_at <= now:
        raise NotNow
    if found.to_branch_id is not None:
        raise NotNow(_("This is a transfer. Say that it arrived, or call it off"))
    edit(found, expected)
    found.ended_early = True
    found.ends_at = max(now, found.starts_at)
    await occupying.release(session, block_id)
    await session.flush()
    await freeing.freed_vehicle(session, found.vehicle_id)
    await audit.record(session, "car_hire.vehicle_unblocked", "car_hire.vehicle", found.vehicle_id)
    return found


async def of_vehicle(session: AsyncSession, vehicle_id: UUID) -> Sequence[Block]:
    """The blocks of a car, the newest first."""
    query = select(Block).where(Block.vehicle_id == vehicle_id).order_by(Block.id.desc())
    return (await session.scalars(query.limit(SHOWN))).all()


class Stretch(Protocol):
    """From when to when a car is not for hire."""

    starts_at: datetime
    ends_at: datetime


def stretch(given: Stretch) -> Period:
    """The time of a block or a transfer.

    Raises:
        Invalid: it is backwards, over, or too long.
    """
    if given.ends_at <= given.starts_at:
        raise Invalid(errors=[FieldError("ends_at", _("It ends after it begins"))])
    if given.ends_at <= clock.now():
        raise Invalid(errors=[FieldError("ends_at", _("This time has passed"))])
    if given.ends_at > given.starts_at + quotes.FURTHEST:
        raise Invalid(errors=[FieldError("ends_at", _("A block lasts two years at most"))])
    return Range(given.starts_at, given.ends_at, bounds="[)")
