"""Runs: long work on a tenant as a list of steps, each recorded as begun and as done.

Whoever works a run off begins at the first step that is not done; a step that was done but
not recorded is done again, so each must be safe to repeat. What a step leaves in the catalogue
is written in the transaction that records it as done and the next as begun.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import now
from core.errors import NotFound
from core.ids import new_id
from tenants.models import ProvisioningRun, ProvisioningStep

TOLD_AFTER: Final = 3
"""Attempts at a step after which people are told: what mends itself in seconds bothers nobody."""

log = structlog.get_logger(__name__)

Record = Callable[[AsyncSession], Awaitable[object]]
"""Writes what a step leaves in the catalogue."""
Transaction = Callable[[], AbstractAsyncContextManager[AsyncSession]]
"""Opens one of tenant zero."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A run under way: position and name of each of its ``steps`` that is to be done, in order."""

    run_id: UUID
    tenant_id: UUID
    steps: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a run as people follow it; ``state`` is waiting, running, failed or done."""

    name: str
    state: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come; ``state`` is waiting, running, failed (and tried again) or done."""

    tenant_id: UUID
    state: str
    error: str | None
    steps: tuple[Step, ...]

    @property
    def share(self) -> float:
        """The part that is done, from 0 to 1."""
        done = sum(step.state == "done" for step in self.steps)
        return done / len(self.steps) if self.steps else 1.0


async def note_run(
    session: AsyncSession,
    tenant_id: UUID,
    steps: Sequence[str],
    owner: dict[str, Any] | None = None,
    source: dict[str, Any] | None = None,
    done: Collection[str] = (),
) -> UUID:
    """Write a run and its steps down, those that are ``done`` already as such; its id."""
    run = ProvisioningRun(id=new_id(), tenant_id=tenant_id, owner=owner, source=source)
    session.add(run)
    await session.flush()
    moment = now()
    for position, name in enumerate(steps, start=1):
        step = ProvisioningStep(run_id=run.id, position=position, name=name)
        if name in done:
            step.state, step.started_at, step.finished_at = "done", moment, moment
        session.add(step)
    await session.flush()
    return run.id


async def progress(session: AsyncSession, run_id: UUID) -> Progress:
    """How far a run has come. ``session`` is tenant zero's.

    Raises:
        NotFound: there is no such run.
    """
    run = await session.get(ProvisioningRun, run_id)
    if run is None:
        raise NotFound
    steps = await session.scalars(
        select(ProvisioningStep)
        .where(ProvisioningStep.run_id == run_id)
        .order_by(ProvisioningStep.position)
    )
    shown = tuple(Step(each.name, each.state, each.started_at, each.finished_at) for each in steps)
    return Progress(run.tenant_id, run.state, run.error, shown)


async def begin(session: AsyncSession, run_id: UUID, tenant_id: UUID) -> Begun:
    """Take a tenant's run up at its first step that is not done, which is noted as begun."""
    step = ProvisioningStep
    rows = await session.execute(
        select(step.position, step.name)
        .where(step.run_id == run_id, step.state != "done")
        .order_by(step.position)
    )
    steps = tuple((row.position, row.name) for row in rows)
    if steps:
        await _move(session, run_id, None, steps[0][0])
        await session.execute(
            update(ProvisioningRun).where(ProvisioningRun.id == run_id).values(state="running")
        )
    return Begun(run_id, tenant_id, steps)


async def work_off(
    run: Begun,
    transaction: Transaction,
    perform: Callable[[str], Awaitable[Record | None]],
    tell_stopped: Record | None = None,
) -> None:
    """Perform the steps of a run, by name, one after the other. ``tell_stopped`` is called when a
    step fails that has failed before: ``TOLD_AFTER`` times or more.

    Raises:
        Exception: whatever stopped a step; it is recorded, and the run may be begun again.
    """
    following = [*(position for position, _ in run.steps), None][1:]
    for (position, name), next_one in zip(run.steps, following, strict=False):
        told = log.bind(run=str(run.run_id), tenant=str(run.tenant_id), step=name)
        told.info("run.step")
        try:
            record = await perform(name)
            async with transaction() as session:
                moved = await _move(session, run.run_id, position, next_one)
                if record is not None and position in moved:  # else somebody else has just done so
                    await record(session)
        except Exception as problem:
            told.exception("run.failed")
            async with transaction() as session:
                attempts = await _fail(session, run.run_id, position, name, problem)
                if tell_stopped is not None and attempts >= TOLD_AFTER:
                    await tell_stopped(session)
            raise


async def _move(
    session: AsyncSession, run_id: UUID, done: int | None, begun: int | None
) -> Collection[int]:
    """Note one step as done and the next as begun; those that were not done before."""
    step = ProvisioningStep
    is_done = step.position == done
    moved = await session.scalars(
        update(step)
        .where(step.run_id == run_id, step.position.in_((done, begun)), step.state != "done")
        .values(
            state=case((is_done, "done"), else_="running"),
            attempts=step.attempts + case((is_done, 0), else_=1),
            started_at=case((is_done, step.started_at), else_=now()),
            finished_at=case((is_done, now()), else_=None),
        )
        .returning(step.position)
        .execution_options(synchronize_session=False)
    )
    return moved.all()


async def _fail(
    session: AsyncSession, run_id: UUID, position: int, name: str, problem: Exception
) -> int:
    """Note at which step a run has stopped, and by what; how many times that was tried, or 0 if
    another worker has done it meanwhile."""
    attempts: int | None = await session.scalar(
        update(ProvisioningStep)
        .where(
            ProvisioningStep.run_id == run_id,
            ProvisioningStep.position == position,
            ProvisioningStep.state != "done",
        )
        .values(state="failed")
        .returning(ProvisioningStep.attempts)
    )
    await session.execute(
        update(ProvisioningRun)
        .where(ProvisioningRun.id == run_id, ProvisioningRun.state != "done")
        .values(state="failed", error=f"{name}: {type(problem).__name__}")
    )
    return attempts or 0
