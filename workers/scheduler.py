"""The scheduler: asks for every tenant's periodic jobs when their turn comes.

Each scope remembers in ``schedule_runs`` the last slot that was asked for. Whoever moves it
forward asks for the job, in the same transaction: any number of schedulers ask once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import structlog
from sqlalchemy import DateTime, Text, bindparam, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, turns
from core.db import Databases
from core.jobs import Schedule
from core.scope import Tenant
from workers.registry import Registry

log = structlog.get_logger(__name__)

_SLOT: Final = (bindparam("name", type_=Text()), bindparam("slot", type_=DateTime(timezone=True)))
_ADVANCE: Final = text(
    "UPDATE schedule_runs SET slot = :slot WHERE name = :name AND slot < :slot RETURNING name"
).bindparams(*_SLOT)
_BEGIN: Final = text(
    "INSERT INTO schedule_runs (name, slot) VALUES (:name, :slot) ON CONFLICT DO NOTHING"
).bindparams(*_SLOT)


class ActiveTenants(Protocol):
    """Whose periodic jobs are to run; supplied by the composition root."""

    async def active(self) -> Sequence[Tenant]:
        """Every tenant that may be served, tenant zero included."""


@dataclass(frozen=True, slots=True)
class _Turn:
    tenant: UUID
    zone: str
    name: str


@dataclass(slots=True, kw_only=True)
class Scheduler:
    """Knows in memory when each tenant's next turn comes, so that a quiet tick costs nothing."""

    tenants: ActiveTenants
    databases: Databases
    registry: Registry
    tick: timedelta = timedelta(seconds=5)
    at_once: int = 8
    """Tenants asked for at the same time."""
    _next: dict[_Turn, datetime] = field(default_factory=dict)

    async def run(self) -> None:
        """Until cancelled."""
        log.info("scheduler.ready")
        while True:
            try:
                await self.once(clock.now())
            except (SQLAlchemyError, OSError) as problem:
                log.warning("scheduler.directory_away", error=type(problem).__name__)
            await asyncio.sleep(self.tick.total_seconds())

    async def once(self, moment: datetime) -> None:
        """Ask for what is due at ``moment`` (aware)."""
        tenants = await self.tenants.active()
        turns = {_turn(tenant, each) for tenant in tenants for each in self._all(tenant)}
        self._next = {turn: due for turn, due in self._next.items() if turn in turns}
        free = asyncio.Semaphore(self.at_once)

        async def serve(tenant: Tenant, due: Sequence[Schedule]) -> None:
            async with free:
                await self._serve(tenant, due, moment)

        due_by_tenant = [(tenant, self._due(tenant, moment)) for tenant in tenants]
        await asyncio.gather(*(serve(tenant, due) for tenant, due in due_by_tenant if due))

    def _all(self, tenant: Tenant) -> list[Schedule]:
        return self.registry.schedules_of(tenant)

    def _due(self, tenant: Tenant, moment: datetime) -> list[Schedule]:
        # What was not looked at yet is due: its slot may have passed while nothing ran.
        return [
            each
            for each in self._all(tenant)
            if self._next.get(_turn(tenant, each), moment) <= moment
        ]

    async def _serve(self, tenant: Tenant, due: Sequence[Schedule], moment: datetime) -> None:
        try:
            async with self.databases.transaction(tenant) as session:
                for schedule in due:
                    await _ask(session, tenant, schedule, moment)
        except (SQLAlchemyError, OSError) as problem:  # tried again at the next tick
            log.warning(
                "scheduler.tenant_away", tenant=str(tenant.id), error=type(problem).__name__
            )
            return
        except Exception:  # one broken tenant must not stop the others' clocks
            log.exception("scheduler.tenant_failed", tenant=str(tenant.id))
            return
        for schedule in due:
            later = turns.share(tenant.id, schedule.name, schedule.spread)
            following = turns.following(schedule.cron, tenant.zone, moment - later)
            self._next[_turn(tenant, schedule)] = following + later


def _turn(tenant: Tenant, schedule: Schedule) -> _Turn:
    return _Turn(tenant.id, tenant.zone, schedule.name)


async def _ask(session: AsyncSession, tenant: Tenant, schedule: Schedule, moment: datetime) -> None:
    later = turns.share(tenant.id, schedule.name, schedule.spread)
    slot = turns.latest(schedule.cron, tenant.zone, moment - later)
    which = {"name": schedule.name, "slot": slot}
    if await session.scalar(_ADVANCE, which) is None:
        await session.execute(_BEGIN, which)  # seen for the first time: begin with the next slot
        return
    await schedule.actor.enqueue(session, key=f"slot {schedule.cron} {slot.isoformat()}")
    log.info("scheduler.asked", tenant=str(tenant.id), actor=schedule.actor.name, slot=str(slot))
