"""The periodic jobs of one scope: the last turn that was asked for, the next, and what is late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, turns
from core.db import Databases, outside
from core.jobs import Schedule
from core.scope import Tenant

LATE_AFTER: Final = timedelta(minutes=2)
"""A scheduler looks every few seconds; one that starts makes up what it missed."""
_OF_TENANCY: Final = "tenants."
"""Jobs that only workers declare: what is noted of them is believed."""
_RUNS: Final = text("SELECT name, slot FROM schedule_runs ORDER BY name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A periodic job; ``cron`` is read on the tenant's clocks. ``last`` is the slot that was last
    asked for, ``following`` when the next one is."""

    actor: str
    cron: str
    last: datetime
    following: datetime
    is_late: bool


async def of(
    session: AsyncSession, databases: Databases, tenant: Tenant, declared: Iterable[Schedule]
) -> Sequence[Turn]:
    """The turns of a tenant, as its own scope remembers them."""

    async def read() -> Sequence[tuple[str, datetime]]:
        async with databases.transaction(tenant) as there:
            return [(row.name, row.slot) for row in await there.execute(_RUNS)]

    known = {each.name: each for each in declared}
    noted = await outside(session, read)
    moment = clock.now()
    return [
        _turn(tenant, name, slot, known.get(name), moment)
        for name, slot in noted
        if name in known or name.startswith(_OF_TENANCY)
    ]


def _turn(
    tenant: Tenant, name: str, slot: datetime, schedule: Schedule | None, moment: datetime
) -> Turn:
    actor, _, cron = name.partition(" ")
    later = turns.share(tenant.id, name, schedule.spread) if schedule else timedelta(0)
    due = turns.following(cron, tenant.zone, slot) + later
    return Turn(
        actor=actor,
        cron=cron,
        last=slot,
        following=turns.following(cron, tenant.zone, moment - later) + later,
        is_late=due + LATE_AFTER < moment,
    )
