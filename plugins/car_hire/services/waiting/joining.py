"""On to the list, and off it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Row, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import mail
from core.audit import services as audit
from core.auth.tokens import MAX_LENGTH, digest, fresh_token
from core.errors import Conflict, Invalid, NotFound
from core.i18n import _, locale
from core.ids import new_id
from plugins.car_hire import policy
from plugins.car_hire.errors import NotNow
from plugins.car_hire.models import Customer, VehicleClass, Wait
from plugins.car_hire.schemas_waiting import WaitInput
from plugins.car_hire.services import availability, checks, limits, occupying, quotes
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.editing import Keys, edit, unique
from plugins.car_hire.services.waiting import freeing, holding

SUBJECT: Final = "car_hire.wait"
PAGE_SIZE: Final = 50
_KEYS: Final[Keys] = {"uq_car_hire_waits_same": ("email", _("You wait for this already"))}

Listed = Row[Wait, str]
"""Somebody who waits, with the class's name."""


class StillFree(Conflict):
    """Nobody needs to wait."""

    code = "car_hire.still_free"
    title = _("A car of this class is free for that time. Book it now")


async def join(
    session: AsyncSession, given: WaitInput, customer: Customer | None = None
) -> tuple[Wait, str]:
    """Wait for a car of a class; with the secret of the page that tells how it stands. A letter
    with it goes to who waits.

    Raises:
        Invalid: the dates make no sense, or the same is waited for already.
        OutsideLimits: the class is not hired so.
        StillFree: there is a car.
    """
    checks.refuse([checks.email(given.email)])
    quotes.check_dates(given.starts_at, given.ends_at)
    chosen = await session.get(VehicleClass, given.class_id)
    if chosen is None or not chosen.on_offer:
        raise Invalid(_("Choose a class"), field="class_id")
    limits.refuse(
        session, chosen, await limits.broken(session, chosen, given.starts_at, given.ends_at)
    )
    journey = await network.open_for(session, given)
    rules = await policy.read(session)
    period = occupying.blocked(given.starts_at, given.ends_at, rules.buffer)
    if await availability.free_vehicles(session, chosen.id, period, journey):
        raise StillFree
    secret = fresh_token()
    made = Wait(
        id=new_id(), version=1, class_id=chosen.id, starts_at=given.starts_at,
        ends_at=given.ends_at, customer_id=customer.id if customer else None, name=given.name,
        email=given.email, locale=locale(), state="waiting", link=digest(secret),
        **journey._asdict(),
    )  # fmt: skip
    async with unique(session, _KEYS):
        session.add(made)
    await audit.record(session, "car_hire.wait_begun", SUBJECT, made.id)
    context = {"name": made.name, "wait": made, "vehicle_class": chosen, "path": path_of(secret)}
    await mail.send(
        session, "car_hire/mail/waiting", made.email, context=context, locale=made.locale,
        key=f"car_hire/mail/waiting:{made.id}",
    )  # fmt: skip
    return made, secret


def path_of(secret: str) -> str:
    """Where somebody sees how it stands."""
    return f"/car-hire/waiting/{secret}"


async def by_link(session: AsyncSession, secret: str) -> Wait:
    """What the link with ``secret`` opens.

    Raises:
        NotFound: nothing.
    """
    key = digest(secret[:MAX_LENGTH])
    found = await session.scalar(select(Wait).where(or_(Wait.link == key, Wait.offer_link == key)))
    if found is None:
        raise NotFound(_("This link does not lead to a waiting list"))
    return found


async def leave(session: AsyncSession, wait_id: UUID, expected: int | None = None) -> Wait:
    """Wait no longer; an offer goes to the next.

    Raises:
        NotNow: it is over already.
        NotFound: there is no such entry.
    """
    found = await session.get(Wait, wait_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is nobody who waits so"))
    if found.state not in {"waiting", "offered"}:
        raise NotNow
    edit(found, expected)
    found.state = "left"
    await session.flush()
    if found.block_id is not None:
        await holding.let_go(session, found.block_id)
        await freeing.freed(session, found.class_id)
    await audit.record(session, "car_hire.wait_ended", SUBJECT, found.id)
    return found


async def page(
    session: AsyncSession, state: str = "", after: UUID | None = None
) -> Sequence[Listed]:
    """A page of who waits in the order in which they are served, one more than fits; without a
    ``state``, of who waits or is offered a car."""
    states = (state,) if state else ("waiting", "offered")
    query = (
        select(Wait, VehicleClass.name)
        .join(VehicleClass, VehicleClass.id == Wait.class_id)
        .where(Wait.state.in_(states))
        .order_by(Wait.id)
        .limit(PAGE_SIZE + 1)
    )
    if after:
        query = query.where(Wait.id > after)
    return (await session.execute(query)).all()
