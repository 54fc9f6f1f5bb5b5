"""The car that an offer keeps: a block, until the offer is taken or over."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.ids import new_id
from plugins.car_hire import policy
from plugins.car_hire.models import Block, Quote, Wait
from plugins.car_hire.services import availability, locking, occupying
from plugins.car_hire.services.branches.whereabouts import Journey
from plugins.car_hire.services.branches.whole import WHOLE


async def hold(session: AsyncSession, wait: Wait) -> UUID | None:
    """Keep a free car of the class for who waits; None if there is none that nobody decides about
    just now."""
    rules = await policy.read(session)
    period = occupying.blocked(wait.starts_at, wait.ends_at, rules.buffer)
    journey = Journey(wait.pick_up_branch_id, wait.return_branch_id)
    free = await availability.free_vehicles(
        session, wait.class_id, period, journey, salt=str(wait.id)
    )
    for vehicle_id in free:
        # Others may be booking the car; it waits for none of them, and they not for it.
        if not await locking.try_vehicles(session, [vehicle_id]):
            continue
        made = _block(wait, vehicle_id)
        session.add(made)
        await session.flush()
        if await occupying.take(session, vehicle_id, period, block_id=made.id, journey=journey):
            return made.id
        await session.delete(made)
        await session.flush()
    return None


def _block(wait: Wait, vehicle_id: UUID) -> Block:
    return Block(
        id=new_id(), version=1, vehicle_id=vehicle_id, reason="offer",
        starts_at=wait.starts_at, ends_at=wait.ends_at, notes=wait.name, ended_early=False,
    )  # fmt: skip


async def let_go(session: AsyncSession, block_id: UUID) -> None:
    """The car is free for others again."""
    block = await session.get(Block, block_id, with_for_update=True, populate_existing=True)
    if block is None or block.ended_early:
        return
    now: datetime = clock.now()
    block.ended_early, block.ends_at = True, max(now, block.starts_at)
    block.notes = ""
    block.version += 1
    await occupying.release(session, block_id)
    await session.flush()


async def take(session: AsyncSession, quote: Quote) -> None:
    """The offer is being booked: its car is free for this booking, in this transaction alone."""
    if quote.hold_id is None:
        return
    query = select(Wait).where(Wait.block_id == quote.hold_id, Wait.state == "offered")
    wait = await session.scalar(query.with_for_update().execution_options(**WHOLE))
    if wait is not None:
        wait.state = "taken"
        wait.version += 1
    await let_go(session, quote.hold_id)
