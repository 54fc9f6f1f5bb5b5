"""Offers to who waits, in order: a price that is held together with a car for some hours.

One transaction at a time looks at the list of a class, and an offer takes its car from the
calendar: so a car that got free is offered once, however many jobs look.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, jobs, mail
from core.audit import services as audit
from core.auth.tokens import digest, fresh_token
from core.errors import Invalid
from core.money import Money
from plugins.car_hire import policy
from plugins.car_hire.models import VehicleClass, Wait
from plugins.car_hire.schemas import QuoteInput
from plugins.car_hire.services import quotes
from plugins.car_hire.services.locking import lock_vehicle
from plugins.car_hire.services.prices.current import NotPriced
from plugins.car_hire.services.waiting import freeing, holding
from plugins.car_hire.services.waiting.joining import SUBJECT, path_of

LOOKED_AT: Final = 100
"""Of one list, by one job; a firm whose list is longer has other worries."""
TOO_SHORT: Final = timedelta(minutes=15)
"""Nobody reads a letter faster."""
FORGOTTEN_AFTER: Final = timedelta(days=30)


async def serve(session: AsyncSession, class_id: UUID) -> int:
    """Offer the cars of a class that are free to the first who wait for them; how many."""
    await lock_vehicle(session, class_id)  # ids differ, so one kind of lock will do
    chosen = await session.get_one(VehicleClass, class_id, populate_existing=True)
    if not chosen.on_offer:
        return 0
    now, made = clock.now(), 0
    waiting = select(Wait).where(Wait.class_id == class_id, Wait.state == "waiting")
    query = waiting.order_by(Wait.id).limit(LOOKED_AT).with_for_update(skip_locked=True)
    for wait in (await session.scalars(query.execution_options(populate_existing=True))).all():
        if wait.starts_at <= now + TOO_SHORT:
            wait.state = "over"
            wait.version += 1
            continue
        made += await _hold_and_offer(session, wait, chosen, now)
    await session.flush()
    return made


async def _hold_and_offer(
    session: AsyncSession, wait: Wait, chosen: VehicleClass, now: datetime
) -> bool:
    """Whether there is a car, and a price: whoever cannot be told one keeps nobody waiting."""
    try:
        async with session.begin_nested():
            block_id = await holding.hold(session, wait)
            if block_id is None:
                return False
            await _offer(session, wait, chosen, block_id, now)
    except (NotPriced, Invalid):  # no list says what it costs, or a branch of theirs was closed
        return False
    return True


async def _offer(
    session: AsyncSession, wait: Wait, chosen: VehicleClass, block_id: UUID, now: datetime
) -> None:
    rules = await policy.read(session)
    wanted = QuoteInput(
        class_id=wait.class_id, starts_at=wait.starts_at, ends_at=wait.ends_at,
        pick_up_branch_id=wait.pick_up_branch_id, return_branch_id=wait.return_branch_id,
    )  # fmt: skip
    quote = await quotes.keep(session, wanted, chosen, rules)
    until = min(now + timedelta(hours=rules.offer_hours), wait.starts_at)
    quote.expires_at, quote.hold_id = until, block_id
    secret = fresh_token()
    wait.state, wait.quote_id, wait.block_id = "offered", quote.id, block_id
    wait.offer_until, wait.offer_link = until, digest(secret)
    wait.version += 1
    await session.flush()
    await jobs.put(session, freeing.LAPSE, {"wait_id": wait.id}, due_at=until)
    await audit.record(session, "car_hire.wait_offered", SUBJECT, wait.id)
    await mail.send(
        session, "car_hire/mail/offer", wait.email, locale=wait.locale,
        key=f"car_hire/mail/offer:{quote.id}",
        context={
            "name": wait.name, "wait": wait, "vehicle_class": chosen, "until": until,
            "total": Money(quote.gross, quote.currency), "path": path_of(secret),
        },
    )  # fmt: skip


async def lapse(session: AsyncSession, wait_id: UUID) -> None:
    """An offer that nobody took goes to the next."""
    wait = await session.get(Wait, wait_id, with_for_update=True, populate_existing=True)
    if wait is None or wait.state != "offered" or wait.block_id is None:
        return
    if wait.offer_until is not None and wait.offer_until > clock.now():
        return
    wait.state = "passed"
    wait.version += 1
    await session.flush()
    await holding.let_go(session, wait.block_id)
    await audit.record(session, "car_hire.wait_ended", SUBJECT, wait.id)
    await freeing.freed(session, wait.class_id)


async def tidy(session: AsyncSession) -> None:
    """Look at every list, for cars that got free without anybody telling, and at offers that are
    over, whose job may have been lost; forget who waited long ago."""
    now = clock.now()
    over = select(Wait.id).where(Wait.state == "offered", Wait.offer_until <= now)
    for wait_id in (await session.scalars(over)).all():
        await jobs.put(session, freeing.LAPSE, {"wait_id": wait_id})
    lists = select(Wait.class_id).where(Wait.state == "waiting").distinct()
    for class_id in (await session.scalars(lists)).all():
        await jobs.put(session, freeing.SERVE, {"class_id": class_id})
    late = update(Wait).where(Wait.state == "waiting", Wait.starts_at <= now)
    await session.execute(late.values(state="over", version=Wait.version + 1))
    old = delete(Wait).where(Wait.starts_at < now - FORGOTTEN_AFTER, Wait.state != "offered")
    await session.execute(old)
