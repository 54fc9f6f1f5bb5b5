"""Replaying compiled lines over scopes: in parallel, each alone with its lock, none waiting
for one that is broken or busy."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol
from uuid import UUID

import asyncpg
import structlog

from tenants.bootstrap import OWNER
from tenants.migration.lines import BadMigration, Line
from tenants.scopes import LOCK_TIMEOUT, connected, owning

log = structlog.get_logger(__name__)

CONNECTIONS: Final = 4

_FAILURES: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, BadMigration)
_PASSING: Final = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.InterfaceError,
    OSError,
)
"""What goes by itself: somebody holds a lock, or a connection broke."""


@dataclass(frozen=True, slots=True)
class Target:
    """A scope, the lines that it is to be made of, and the revisions that it is ``at``."""

    tenant_id: UUID
    scope: str
    lines: tuple[Line, ...]
    at: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one line went in one scope: now at ``revision``, or stopped there by ``error``."""

    tenant_id: UUID
    line: str
    revision: str | None
    target: str
    contracted: str | None = None
    applied: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient a run is with scopes in which others hold locks.

    A statement that waits for a lock makes everybody behind it wait too, so it gives up soon
    (``lock_timeout``) and comes again after each of ``pauses``, in seconds.
    """

    lock_timeout: str = "1s"
    pauses: tuple[float, ...] = (0.5, 1, 2, 4, 8, 8)


PATIENT: Final = Pace()


class Watch(Protocol):
    """Whoever follows a run as it goes."""

    def begun(self, target: Target) -> None:
        """A scope is being worked on, for the first time or again."""

    def ended(self, outcome: Outcome) -> None:
        """A line has come to its end in a scope, for good or ill."""


async def bring_up(
    connection: asyncpg.Connection, scope: str, line: Line, *, lock_timeout: str = LOCK_TIMEOUT
) -> int:
    """Apply to ``scope`` what it lacks of ``line``, in one transaction; the number of revisions.

    Raises:
        BadMigration: the scope is ahead of this code, or has no schema.
    """
    async with owning(connection, scope, lock_timeout):
        found = await connection.fetchrow(
            "SELECT to_regnamespace($1) IS NOT NULL AS exists, (SELECT revision"
            " FROM migrations.applied WHERE scope = $1 AND line = $2) AS revision",
            scope,
            line.name,
        )
        if not found["exists"]:
            # Without this, tables would land in the next schema of the search_path.
            raise BadMigration(f"there is no schema {scope}")
        missing = line.after(found["revision"])
        if missing:
            statements = [each for revision in missing for each in revision.statements]
            await connection.execute(";\n".join(statements))
            await connection.execute(
                "INSERT INTO migrations.applied (scope, line, revision) VALUES ($1, $2, $3)"
                " ON CONFLICT (scope, line)"
                " DO UPDATE SET revision = excluded.revision, applied_at = now()",
                scope,
                line.name,
                line.head,
            )
        return len(missing)


async def applied(connection: asyncpg.Connection) -> dict[str, dict[str, str]]:
    """The revision of every line in every scope of a database."""
    found: dict[str, dict[str, str]] = {}
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {OWNER}")
        rows = await connection.fetch(
            "SELECT scope, line, revision FROM migrations.applied ORDER BY scope"
        )
    for row in rows:
        found.setdefault(row["scope"], {})[row["line"]] = row["revision"]
    return found


async def replay(
    provisioner_url: str,
    targets: Iterable[Target],
    connections: int = CONNECTIONS,
    *,
    pace: Pace = PATIENT,
    watch: Watch | None = None,
) -> list[Outcome]:
    """Bring every target up; what fails is told in its outcome and holds up nobody.

    Those in which others hold locks come again when all the others are done, as the ``pace`` has
    it; whoever is busy even then is an outcome with an ``error`` like any other.
    """
    sweep = _Sweep(provisioner_url, pace.lock_timeout, watch, list(targets)[::-1])
    for pause in pace.pauses:
        await sweep.run(connections)
        if not sweep.busy:
            return sweep.outcomes
        log.info("migration.busy", scopes=len(sweep.busy), again_in=pause)
        await asyncio.sleep(pause)
        sweep.waiting, sweep.busy = sweep.busy[::-1], []
    sweep.is_last = True
    await sweep.run(connections)
    return sweep.outcomes


@dataclass(slots=True)
class _Sweep:
    """One passage over all that is ``waiting``; what was ``busy`` is left for the next."""

    provisioner_url: str
    lock_timeout: str
    watch: Watch | None
    waiting: list[Target]
    busy: list[Target] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    is_last: bool = False

    async def run(self, connections: int) -> None:
        problems = await asyncio.gather(
            *(self._work() for _ in range(min(connections, len(self.waiting))))
        )
        unreachable = next(filter(None, problems), None)
        while self.waiting and unreachable is not None:
            target = self.waiting.pop()
            for line in target.lines:
                self._end(_failed(target, line, unreachable))

    async def _work(self) -> Exception | None:
        """Work what waits off; what prevents it from connecting, if anything does."""
        while self.waiting:
            try:
                async with connected(self.provisioner_url) as connection:
                    while self.waiting and not connection.is_closed():
                        await self._bring_up(connection, self.waiting.pop())
            except _FAILURES as problem:  # leave the rest to the others
                return problem
        return None

    async def _bring_up(self, connection: asyncpg.Connection, target: Target) -> None:
        if self.watch is not None:
            self.watch.begun(target)
        busy: list[Line] = []
        for line in target.lines:
            try:
                count = await bring_up(
                    connection, target.scope, line, lock_timeout=self.lock_timeout
                )
            except _FAILURES as problem:
                if isinstance(problem, _PASSING) and not self.is_last:
                    busy.append(line)
                else:
                    self._end(_failed(target, line, problem))
            else:
                self._end(current(target.tenant_id, line, count))
        if busy:
            self.busy.append(replace(target, lines=tuple(busy)))

    def _end(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if self.watch is not None:
            self.watch.ended(outcome)


def current(tenant_id: UUID, line: Line, applied: int = 0) -> Outcome:
    """A scope that is at the head of ``line``."""
    return Outcome(
        tenant_id=tenant_id,
        line=line.name,
        revision=line.head,
        target=line.head,
        contracted=line.contracted(line.head),
        applied=applied,
    )


def _failed(target: Target, line: Line, problem: Exception) -> Outcome:
    log.warning("migration.failed", scope=target.scope, line=line.name, error=str(problem))
    at = target.at.get(line.name)
    return Outcome(
        tenant_id=target.tenant_id,
        line=line.name,
        revision=at,
        target=line.head,
        contracted=line.contracted(at) if at is None or line.has(at) else None,
        error=f"{type(problem).__name__}: {problem}",
    )


def lacking(
    targets: Iterable[Target], present: Mapping[str, Mapping[str, str]]
) -> tuple[list[Target], list[Outcome]]:
    """Split ``targets`` into what has something to do, and the outcomes of all that has not."""
    todo: list[Target] = []
    up_to_date: list[Outcome] = []
    for target in targets:
        at = present.get(target.scope, {})
        behind = tuple(line for line in target.lines if at.get(line.name, "") != line.head)
        if behind:
            todo.append(replace(target, lines=behind, at=at))
        up_to_date += [
            current(target.tenant_id, line) for line in target.lines if line not in behind
        ]
    return todo, up_to_date
