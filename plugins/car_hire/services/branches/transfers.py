"""Cars that are brought to another branch: planned, under way, arrived, called off.

A transfer is a block that ends elsewhere than it began. By the calendar the car is there when the
transfer ends, so that hires can be promised from then on; that it has arrived is said by whoever
sees it, and until then the transfer stays on the desk's list.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.errors import Invalid, NotFound
from core.i18n import _
from core.ids import new_id
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Block, Booking, Customer, Occupancy, Vehicle
from plugins.car_hire.schemas_branches import CarTransferInput
from plugins.car_hire.services import blocks, fleet, occupying
from plugins.car_hire.services.branches import keeping, moving, promised, whereabouts
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.branches.whole import WHOLE
from plugins.car_hire.services.editing import edit
from plugins.car_hire.services.locking import lock_vehicle

AHEAD: Final = timedelta(days=14)
"""How far ahead stranded bookings are looked for."""
SHOWN: Final = 100
ROUNDS: Final = 5
"""How often bookings are moved, each time those that the last ones left behind."""


class OnTheWay(NamedTuple):
    """A transfer that is planned or under way."""

    block: Block
    vehicle: Vehicle


class StrandedBooking(NamedTuple):
    """A booking whose car will not be where it begins."""

    booking: Booking
    customer: str
    vehicle: Vehicle
    branch_id: UUID
    """Where the car will be."""


async def plan(session: AsyncSession, vehicle_id: UUID, given: CarTransferInput) -> Block:
    """Bring a car to another branch.

    Raises:
        Invalid: the times make no sense, or the car will be there anyway.
        Collision: the car is spoken for; it says by what.
        Elsewhere: bookings would find the car gone; it says which. Either can be moved first.
    """
    period = blocks.stretch(given)
    car = await fleet.vehicle(session, vehicle_id)
    if car.status == fleet.RETIRED:
        raise NotNow(_("This car has left the fleet"))
    to = await keeping.chosen(session, given.to_branch_id, "to_branch_id")
    if given.move:
        await blocks.move_away(session, await occupying.in_the_way(session, [car.id], period))
        await _move_stranded(session, car.id, given.ends_at, to.id)
    await occupying.lock(session, [car.id])
    place = await whereabouts.of_car(session, car.id, period)
    if place == to.id:
        raise Invalid(_("The car will be there anyway"), field="to_branch_id")
    made = Block(
        id=new_id(), version=1, vehicle_id=car.id, reason="transfer", starts_at=given.starts_at,
        ends_at=given.ends_at, notes=given.notes, driver=given.driver or None, ended_early=False,
        from_branch_id=place, to_branch_id=to.id,
    )  # fmt: skip
    await blocks.write(session, made, period, Journey(place, to.id))
    found = await promised.elsewhere(session, car.id, given.ends_at, to.id)
    if found:
        raise promised.gone(found)
    return made


async def _move_stranded(
    session: AsyncSession, vehicle_id: UUID, after: datetime, branch_id: UUID
) -> None:
    """A journey that is moved away can leave behind what followed it, so look again."""
    for _round in range(ROUNDS):
        found = await promised.elsewhere(session, vehicle_id, after, branch_id)
        if not found:
            return
        await blocks.move_away(session, found)


async def arrive(session: AsyncSession, block_id: UUID, expected: int | None = None) -> Block:
    """The car is there: it stands at that branch from now on, and is back for hire.

    Raises:
        NotFound: there is no such transfer.
        NotNow: it arrived before, or was called off.
    """
    found = await _open(session, block_id, expected)
    now = clock.now()
    was_due, found.arrived_at = found.ends_at, now
    if was_due > now:
        found.ends_at = max(now, found.starts_at)
    await occupying.release(session, block_id)
    await session.flush()
    assert found.to_branch_id is not None
    if not await _has_gone_on(session, found.vehicle_id, was_due):
        await moving.seen_at(session, found.vehicle_id, found.to_branch_id)
    await audit.record(
        session, "car_hire.transfer_arrived", "car_hire.vehicle", found.vehicle_id,
        {"branch_id": found.to_branch_id},
    )  # fmt: skip
    return found


async def _has_gone_on(session: AsyncSession, vehicle_id: UUID, was_due: datetime) -> bool:
    """Whether the car left with a customer since, or was seen: then it is not for us to say."""
    out = select(Booking.id).where(Booking.vehicle_id == vehicle_id, Booking.state == "out")
    query = select(or_(Vehicle.branch_since >= was_due, out.exists()))
    asked = query.where(Vehicle.id == vehicle_id).execution_options(**WHOLE)
    return bool(await session.scalar(asked))


async def call_off(session: AsyncSession, block_id: UUID, expected: int | None = None) -> Block:
    """The car is not brought there after all; it stays where it was.

    What was promised at the other branch is stranded then, and listed as such.

    Raises:
        NotFound: there is no such transfer.
        NotNow: it arrived, or was called off before.
    """
    found = await _open(session, block_id, expected)
    found.ended_early = True
    found.ends_at = min(found.ends_at, max(clock.now(), found.starts_at))
    await occupying.release(session, block_id)
    await session.flush()
    await audit.record(
        session, "car_hire.transfer_called_off", "car_hire.vehicle", found.vehicle_id
    )
    return found


async def _open(session: AsyncSession, block_id: UUID, expected: int | None) -> Block:
    known = await session.get(Block, block_id)
    if known is None or known.to_branch_id is None:
        raise NotFound(_("There is no such transfer"))
    await lock_vehicle(session, known.vehicle_id)
    found = await session.get_one(Block, block_id, with_for_update=True, populate_existing=True)
    if found.arrived_at is not None or found.ended_early:
        raise NotNow
    edit(found, expected)
    return found


async def coming(
    session: AsyncSession, branch_id: UUID | None = None, *, before: datetime | None = None
) -> Sequence[OnTheWay]:
    """Transfers that nobody has said to be over, the next first: all, or from or to one branch;
    those that begin ``before`` a moment."""
    query = (
        select(Block, Vehicle)
        .join(Vehicle, Vehicle.id == Block.vehicle_id)
        .where(Block.to_branch_id.is_not(None), Block.arrived_at.is_(None), ~Block.ended_early)
        .order_by(Block.starts_at, Block.id)
        .limit(SHOWN)
    )
    if before:
        query = query.where(Block.starts_at < before)
    if branch_id:
        query = query.where(or_(Block.from_branch_id == branch_id, Block.to_branch_id == branch_id))
    return [OnTheWay(*row) for row in (await session.execute(query)).all()]


async def stranded(
    session: AsyncSession, branch_id: UUID | None = None, ahead: timedelta = AHEAD
) -> list[StrandedBooking]:
    """Bookings of the next fortnight (or ``ahead``) whose car will be elsewhere, the next first."""
    found = (
        whereabouts.stranded()
        .join(Booking, Booking.id == Occupancy.booking_id)
        .where(
            Booking.state.in_(("pending_payment", "confirmed")),
            Booking.starts_at < clock.now() + ahead,
        )
        .limit(SHOWN)
    )
    if branch_id:
        found = found.where(Booking.pick_up_branch_id == branch_id)
    places: dict[UUID, UUID] = {row[1]: row[3] for row in (await session.execute(found)).all()}
    query = (
        select(Booking, Customer.name, Vehicle)
        .join(Customer, Customer.id == Booking.customer_id)
        .join(Vehicle, Vehicle.id == Booking.vehicle_id)
        .where(Booking.id.in_(places))
        .order_by(Booking.starts_at, Booking.id)
    )
    return [
        StrandedBooking(booking, name, vehicle, places[booking.id])
        for booking, name, vehicle in (await session.execute(query)).all()
        if places[booking.id] != booking.pick_up_branch_id
    ]
