"""What happens when the doorbell rings: one message, one attempt, one transaction of work.

The attempt is counted before it begins, so that a job which kills its worker has killed it only
so many times. The message's row is marked done in the transaction of the work itself, so that
both happen or neither. Whatever goes wrong before that needs no handling here: the message stays
unfinished, and the relay rings again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from opentelemetry.trace import Span, SpanKind
from sqlalchemy import Integer, Interval, Row, Text, Uuid, bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core import telemetry
from core.db import UNREACHABLE, Databases, commit
from core.errors import DomainError
from core.jobs import Actor, GiveUp, RunningJob, current_job
from core.scope import Directory, Tenant
from core.telemetry import redaction
from workers.backoff import Backoff
from workers.registry import Registry

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=30)
"""For how long after its worker's last sign of life nobody else begins a message."""

_AWAY: Final = (DBAPIError, *UNREACHABLE)

_TAKE: Final = text(
    "SELECT actor, args, attempt, worn_out FROM outbox.take(:id, :lease, :most)"
).bindparams(
    bindparam("id", type_=Uuid()),
    bindparam("lease", type_=Interval()),
    bindparam("most", type_=Integer()),
)
_RENEW: Final = text("SELECT outbox.renew(:id, :attempt, :lease)").bindparams(
    bindparam("id", type_=Uuid()),
    bindparam("attempt", type_=Integer()),
    bindparam("lease", type_=Interval()),
)
_FINISH: Final = text("SELECT outbox.finish(:id, :attempt)").bindparams(
    bindparam("id", type_=Uuid()), bindparam("attempt", type_=Integer())
)
_FAIL: Final = text("SELECT outbox.fail(:id, :attempt, :error, :retry_in)").bindparams(
    bindparam("id", type_=Uuid()),
    bindparam("attempt", type_=Integer()),
    bindparam("error", type_=Text()),
    bindparam("retry_in", type_=Interval()),
)


class LeaseLost(Exception):
    """Another worker began the message meanwhile; this one's work is undone."""


class Misdelivered(Exception):
    """The doorbell named another actor than the message: what it says is not to be trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Works on messages, any number at once, in one event loop."""

    databases: Databases
    directory: Directory
    registry: Registry
    backoff: Backoff = field(default_factory=Backoff)
    lease: timedelta = LEASE

    async def deliver(self, message: UUID, tenant_id: UUID, name: str, trace: str) -> None:
        """Work on a message if it is still to be worked on. Never raises for a failing job."""
        with (
            telemetry.span(
                f"job {name}",
                kind=SpanKind.CONSUMER,
                parent=trace,
                tenant=str(tenant_id),
                actor=name,
            ) as span,
            structlog.contextvars.bound_contextvars(
                tenant=str(tenant_id), job=str(message), actor=name
            ),
        ):
            try:
                tenant = await self.directory.by_id(tenant_id)
            except _AWAY as problem:
                log.warning("job.directory_away", error=type(problem).__name__)
                return
            actor = self.registry.actor(name)
            if tenant is None or actor is None or not self._may_run(actor, tenant):
                return
            await self._attempt(message, tenant, actor, span)

    def _may_run(self, actor: Actor, tenant: Tenant) -> bool:
        """Else the relay holds the message, and rings again later."""
        if tenant.status != "active":
            log.info("job.held", status=tenant.status)
            return False
        if not self.registry.allowed(actor, tenant):
            log.info("job.held", status="not enabled")
            return False
        return True

    async def _attempt(self, message: UUID, tenant: Tenant, actor: Actor, span: Span) -> None:
        attempt = _Attempt(self.databases, message, tenant, actor, self.lease)
        try:
            done = await attempt.run()
        except (LeaseLost, Misdelivered) as problem:
            log.warning("job.undone", reason=type(problem).__name__, attempt=attempt.number)
        except Exception as problem:
            telemetry.failed(span, problem)
            if attempt.number == 0:  # it never began: nothing of the job's is at fault
                log.warning("job.not_begun", error=type(problem).__name__)
            else:
                await self._fail(attempt, problem)
        else:
            if done:
                log.info("job.done", attempt=attempt.number)

    async def _fail(self, attempt: _Attempt, problem: Exception) -> None:
        last = attempt.number >= attempt.actor.max_attempts or isinstance(
            problem, GiveUp | msgspec.ValidationError
        )
        retry_in = None if last else self.backoff.pause(attempt.number)
        event = "job.dead" if last else "job.failed"
        log.error(event, attempt=attempt.number, retry_in=str(retry_in), exc_info=problem)
        try:
            async with self.databases.transaction(attempt.tenant) as session:
                await session.execute(
                    _FAIL,
                    {
                        "id": attempt.message,
                        "attempt": attempt.number,
                        "error": describe(problem),
                        "retry_in": retry_in,
                    },
                )
        except _AWAY as away:
            log.warning("job.failure_unrecorded", error=type(away).__name__)


@dataclass(slots=True)
class _Attempt:
    databases: Databases
    message: UUID
    tenant: Tenant
    actor: Actor
    lease: timedelta
    number: int = 0

    async def run(self) -> bool:
        """True when the work was done, False when there was none to do."""
        async with self.databases.transaction(self.tenant) as session:
            row = await self._take(session)
            await commit(session)
            if row is None:
                return False
            self.number = row.attempt
            if row.worn_out:
                log.error("job.dead", attempt=self.number, reason="its worker died every time")
                return False
            async with self._alive(), asyncio.timeout(self.actor.time_limit.total_seconds()):
                await self._work(session, self.actor.read(row.args))
            await self._finish(session)
        return True

    async def _take(self, session: AsyncSession) -> Row[Any] | None:
        most = {"id": self.message, "lease": self.lease, "most": self.actor.max_attempts}
        row = (await session.execute(_TAKE, most)).one_or_none()
        if row is not None and row.actor != self.actor.name:
            raise Misdelivered
        return row

    @asynccontextmanager
    async def _alive(self) -> AsyncIterator[None]:
        """Renew the lease as long as the body runs."""
        signs = asyncio.create_task(self._show_life())
        try:
            yield
        finally:
            signs.cancel()
            await asyncio.wait([signs])

    async def _show_life(self) -> None:
        while True:
            await asyncio.sleep(self.lease.total_seconds() / 3)
            try:
                async with self.databases.transaction(self.tenant) as session:
                    await session.execute(
                        _RENEW, {"id": self.message, "attempt": self.number, "lease": self.lease}
                    )
            except _AWAY as problem:
                log.warning("job.lease_not_renewed", error=type(problem).__name__)

    async def _work(self, session: AsyncSession, args: dict[str, Any]) -> None:
        token = current_job.set(RunningJob(self.message, self.actor.name, self.number))
        try:
            await self.actor.body(session, **args)
        finally:
            current_job.reset(token)

    async def _finish(self, session: AsyncSession) -> None:
        if not await session.scalar(_FINISH, {"id": self.message, "attempt": self.number}):
            raise LeaseLost


def describe(problem: Exception) -> str:
    """A failure in words that may be kept and shown: its type and what it says of no person."""
    describers: list[tuple[type[Exception], Callable[[Any], str]]] = [
        (DBAPIError, lambda each: f"{type(each.orig).__name__} {_sqlstate(each)}"),
        (DomainError, lambda each: f"{type(each).__name__}: {each.code}"),
        (TimeoutError, lambda each: "TimeoutError: the time limit of the job"),
    ]
    for kind, words in describers:
        if isinstance(problem, kind):
            return words(problem)
    return redaction.text(f"{type(problem).__name__}: {problem}".replace("\0", ""))[:300]


def _sqlstate(problem: DBAPIError) -> str:
    return getattr(problem.orig, "sqlstate", None) or "connection lost"
