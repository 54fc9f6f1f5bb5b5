"""Runs: long work on a tenant as a list of steps, each recorded as begun and as done.

Whoever works a run off begins at the first step that is not done; a step that was done but
not recorded is done again, so each must be safe to repeat.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import now
from core.errors import NotFound
from core.ids import new_id
from tenants.models import ProvisioningRun, ProvisioningStep


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


async def open_steps(session: AsyncSession, run_id: UUID) -> tuple[tuple[int, str], ...]:
    """The steps that are not done, in order: position and name."""
    steps = await session.execute(
        select(ProvisioningStep.position, ProvisioningStep.name)
        .where(ProvisioningStep.run_id == run_id, ProvisioningStep.state != "done")
        .order_by(ProvisioningStep.position)
    )
    return tuple((row.position, row.name) for row in steps)


async def move(session: AsyncSession, run_id: UUID, done: int | None, begun: int | None) -> None:
    """Note one step as done and the next as begun."""
    step = ProvisioningStep
    is_done = step.position == done
    await session.execute(
        update(step)
        .where(step.run_id == run_id, step.position.in_((done, begun)), step.state != "done")
        .values(
            state=case((is_done, "done"), else_="running"),
            attempts=step.attempts + case((is_done, 0), else_=1),
            started_at=case((is_done, step.started_at), else_=now()),
            finished_at=case((is_done, now()), else_=None),
        )
    )
    if done is None:
        await session.execute(
            update(ProvisioningRun).where(ProvisioningRun.id == run_id).values(state="running")
        )


async def fail(
    session: AsyncSession, run_id: UUID, position: int, name: str, problem: Exception
) -> None:
    """Note at which step a run has stopped, and by what."""
    await session.execute(
        update(ProvisioningStep)
        .where(
            ProvisioningStep.run_id == run_id,
            ProvisioningStep.position == position,
            ProvisioningStep.state != "done",
        )
        .values(state="failed")
    )
    await session.execute(
        update(ProvisioningRun)
        .where(ProvisioningRun.id == run_id, ProvisioningRun.state != "done")
        .values(state="failed", error=f"{name}: {type(problem).__name__}")
    )
