"""Times at which somebody is there, for who has asked for others or for none yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.scope import Tenant
from plugins.car_hire.services.branches import network
from plugins.car_hire.services.branches.network import Network
from plugins.car_hire.services.branches.whereabouts import Journey

WITHIN: Final = 7
"""Days that are looked at: nobody is closed for longer, or they would say so otherwise."""
USUAL: Final = time(10)
LENGTH: Final = timedelta(days=3)


async def usual(session: AsyncSession) -> tuple[datetime, datetime]:
    """Three days from tomorrow at ten, or when the main branch is open next: one statement."""
    tenant: Tenant = session.info["tenant"]
    tomorrow = clock.today(tenant.zone) + timedelta(days=1)
    starts_at = clock.from_wall(datetime.combine(tomorrow, USUAL), tenant.zone)
    branches = await _around(session, starts_at, starts_at + LENGTH)
    journey = branches.journey(None, None)
    first = open_times(branches, journey, starts_at, starts_at + LENGTH)
    opens = clock.local(first[0] if first else starts_at, tenant.zone).replace(tzinfo=None)
    ends_at = clock.from_wall(opens + LENGTH, tenant.zone)
    found = open_times(branches, journey, first[0], ends_at) if first else None
    return found or (starts_at, starts_at + LENGTH)


async def instead(
    session: AsyncSession, journey: Journey, starts_at: datetime, ends_at: datetime
) -> tuple[datetime, datetime] | None:
    """The nearest times at which both ends of a hire are served; None if there are none."""
    branches = await _around(session, starts_at, ends_at)
    return open_times(branches, journey, starts_at, ends_at)


async def _around(session: AsyncSession, *moments: datetime) -> Network:
    days = [timedelta(days=n) for n in range(-WITHIN, WITHIN + 1)]
    return await network.read(session, *(moment + day for moment in moments for day in days))


def open_times(
    branches: Network, journey: Journey, starts_at: datetime, ends_at: datetime
) -> tuple[datetime, datetime] | None:
    """The nearest moments to those asked for at which somebody is at either end's branch."""
    now = clock.now()
    starts = _nearest(branches, journey.pick_up_branch_id, starts_at, max(now, starts_at))
    if starts is None:
        return None
    ends = _nearest(branches, journey.return_branch_id, max(ends_at, starts), starts)
    return None if ends is None or ends <= starts else (starts, ends)


def _nearest(
    branches: Network, branch_id: UUID, wanted: datetime, earliest: datetime
) -> datetime | None:
    """The open moment nearest to ``wanted``, not before ``earliest``; ends of spans count."""
    wall = clock.local(wanted, branches.zone)
    opening = branches.opening(branch_id)
    if opening.is_open(wanted) and wanted >= earliest:
        return wanted
    found = [
        clock.from_wall(datetime.combine(day, time()) + timedelta(minutes=minute), branches.zone)
        for day in _days(wall.date())
        for span in opening.on(day)
        for minute in (span.opens, span.closes)
    ]
    return min(
        (each for each in found if each >= earliest),
        key=lambda each: abs(each - wanted),
        default=None,
    )


def _days(around: date) -> Iterator[date]:
    for n in range(-WITHIN, WITHIN + 1):
        yield around + timedelta(days=n)
