"""Feeds are made, given another address, and ended. The secret is told once, and kept by nobody:
what the table has finds a feed by its secret and does not say it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.audit import services as audit
from core.auth.tokens import MAX_LENGTH, fresh_token
from core.crypto import mark, marks, ready
from core.errors import Conflict, Invalid, NotFound
from core.i18n import _
from plugins.car_hire.models import CalendarFeed, Customer, Vehicle, VehicleClass
from plugins.car_hire.schemas_feeds import FeedInput
from plugins.car_hire.services import checks
from plugins.car_hire.services.branches import keeping as branches
from plugins.car_hire.services.branches import reach
from plugins.car_hire.services.branches.whole import WHOLE

SUBJECT: Final = "car_hire.feed"
MOST: Final = 50
"""Feeds of a business's desk."""


class TooMany(Conflict):
    """Nobody reads so many."""

    code = "car_hire.too_many_feeds"
    title = _("There are 50 calendars already. End one that nobody reads")


async def of_desk(session: AsyncSession) -> Sequence[CalendarFeed]:
    """The desk's feeds by title."""
    query = select(CalendarFeed).where(CalendarFeed.customer_id.is_(None))
    return (await session.scalars(query.order_by(func.lower(CalendarFeed.title)))).all()


async def add(session: AsyncSession, given: FeedInput, made_by: str) -> tuple[CalendarFeed, str]:
    """A feed for the desk, and its secret.

    Raises:
        TooMany: there are enough.
        Invalid: there is no such branch, class or car, or it is a branch of others: whoever reads
            a calendar is nobody whom we know, so that nothing is narrowed then.
    """
    counted = select(func.count()).where(CalendarFeed.customer_id.is_(None))
    if (await session.scalar(counted.execution_options(**WHOLE)) or 0) >= MOST:
        raise TooMany
    if given.branch_id is not None:
        await branches.chosen(session, given.branch_id, "branch_id")
    mine = await reach.own(session)
    if mine and given.branch_id not in mine:
        raise Invalid(_("Choose a branch at which you work"), field="branch_id")
    if given.class_id is not None and await session.get(VehicleClass, given.class_id) is None:
        raise Invalid(_("Choose a class"), field="class_id")
    secret = fresh_token()
    made = CalendarFeed(
        title=given.title,
        branch_id=given.branch_id,
        class_id=given.class_id,
        vehicle_id=await _vehicle(session, given.plate),
        shows=sorted(set(given.shows)),
        address=mark(secret, SUBJECT),
        made_by=made_by,
    )
    session.add(made)
    await session.flush()
    detail = {"title": made.title, "shows": made.shows}
    await audit.record(session, "car_hire.feed_added", SUBJECT, made.id, detail)
    return made, secret


async def _vehicle(session: AsyncSession, plate: str) -> UUID | None:
    if not plate.strip():
        return None
    query = select(Vehicle.id).where(
        Vehicle.plate == checks.normal_plate(plate), Vehicle.status != "retired"
    )
    found: UUID | None = await session.scalar(query)
    if found is None:
        raise Invalid(_("There is no car with this plate"), field="plate")
    return found


async def renew(session: AsyncSession, feed_id: UUID) -> tuple[CalendarFeed, str]:
    """Another address for a feed of the desk; the one before leads nowhere from now on.

    Raises:
        NotFound: there is no such feed.
    """
    found = await _one(session, feed_id)
    secret = fresh_token()
    found.address, found.renewed_at = mark(secret, SUBJECT), clock.now()
    await audit.record(session, "car_hire.feed_renewed", SUBJECT, found.id)
    return found, secret


async def end(session: AsyncSession, feed_id: UUID) -> None:
    """End a feed of the desk.

    Raises:
        NotFound: there is no such feed.
    """
    found = await _one(session, feed_id)
    await session.delete(found)
    await audit.record(session, "car_hire.feed_ended", SUBJECT, feed_id, {"title": found.title})


async def _one(session: AsyncSession, feed_id: UUID) -> CalendarFeed:
    found = await session.get(CalendarFeed, feed_id, with_for_update=True)
    if found is None or found.customer_id is not None:
        raise NotFound(_("There is no such calendar"))
    return found


async def own(session: AsyncSession, customer: Customer) -> CalendarFeed | None:
    """A customer's own feed, if they have one."""
    query = select(CalendarFeed).where(CalendarFeed.customer_id == customer.id)
    found: CalendarFeed | None = await session.scalar(query)
    return found


async def begin_own(session: AsyncSession, customer: Customer) -> str:
    """The secret of a customer's own feed; the one before leads nowhere from now on."""
    await session.get(Customer, customer.id, with_for_update=True)
    secret, found = fresh_token(), await own(session, customer)
    if found is None:
        found = CalendarFeed(title="", customer_id=customer.id, made_by=customer.name)
        session.add(found)
    else:
        found.renewed_at = clock.now()
    found.address = mark(secret, SUBJECT)
    await session.flush()
    await audit.record(session, "car_hire.feed_renewed", SUBJECT, found.id)
    return secret


async def end_own(session: AsyncSession, customer: Customer) -> None:
    """End a customer's own feed; without one, nothing happens."""
    found = await own(session, customer)
    if found is not None:
        await session.delete(found)
        await audit.record(session, "car_hire.feed_ended", SUBJECT, found.id)


async def by_secret(session: AsyncSession, secret: str) -> CalendarFeed:
    """The feed that a secret opens.

    Raises:
        NotFound: none, or none any more.
    """
    await ready(session)
    possible = marks(secret[:MAX_LENGTH], SUBJECT)
    query = select(CalendarFeed).where(CalendarFeed.address.in_(possible))
    found: CalendarFeed | None = await session.scalar(query)
    if found is None:
        raise NotFound(_("There is no such calendar"))
    return found
