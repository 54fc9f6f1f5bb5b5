"""Replaying compiled lines over scopes: in parallel, each alone with its lock, none waiting
for a broken one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from tenants.bootstrap import OWNER
from tenants.migration.lines import BadMigration, Line
from tenants.scopes import connected, owning

log = structlog.get_logger(__name__)

CONNECTIONS: Final = 4

_FAILURES: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, BadMigration)


@dataclass(frozen=True, slots=True)
class Target:
    """A scope, and the lines that it is to be made of."""

    tenant_id: UUID
    scope: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one line went in one scope: now at ``revision``, or stopped by ``error``."""

    tenant_id: UUID
    line: str
    revision: str | None
    target: str
    applied: int = 0
    error: str | None = None


async def bring_up(connection: asyncpg.Connection, scope: str, line: Line) -> int:
    """Apply to ``scope`` what it lacks of ``line``, in one transaction; the number of revisions.

    Raises:
        BadMigration: the scope is ahead of this code, or has no schema.
    """
    async with owning(connection, scope):
        current = await connection.fetchrow(
            "SELECT to_regnamespace($1) IS NOT NULL AS exists, (SELECT revision"
            " FROM migrations.applied WHERE scope = $1 AND line = $2) AS revision",
            scope,
            line.name,
        )
        if not current["exists"]:
            # Without this, tables would land in the next schema of the search_path.
            raise BadMigration(f"there is no schema {scope}")
        missing = line.after(current["revision"])
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
    provisioner_url: str, targets: Iterable[Target], connections: int = CONNECTIONS
) -> list[Outcome]:
    """Bring every target up; what fails is told in its outcome and holds up nobody."""
    waiting = list(targets)
    outcomes: list[Outcome] = []
    problems: list[Exception] = []

    async def work() -> None:
        while waiting:
            try:
                async with connected(provisioner_url) as connection:
                    while waiting and not connection.is_closed():
                        outcomes.extend(await _bring_up_all(connection, waiting.pop()))
            except _FAILURES as problem:  # no connection: leave the rest to the others
                problems.append(problem)
                return

    await asyncio.gather(*(work() for _ in range(min(connections, len(waiting)))))
    for target in waiting:
        outcomes.extend(_failed(target, line, problems[-1]) for line in target.lines)
    return outcomes


async def _bring_up_all(connection: asyncpg.Connection, target: Target) -> list[Outcome]:
    outcomes = []
    for line in target.lines:
        try:
            count = await bring_up(connection, target.scope, line)
        except _FAILURES as problem:
            log.warning("migration.failed", scope=target.scope, line=line.name, error=str(problem))
            outcomes.append(_failed(target, line, problem))
        else:
            outcomes.append(
                Outcome(
                    tenant_id=target.tenant_id,
                    line=line.name,
                    revision=line.head,
                    target=line.head,
                    applied=count,
                )
            )
    return outcomes


def _failed(target: Target, line: Line, problem: Exception) -> Outcome:
    return Outcome(
        tenant_id=target.tenant_id,
        line=line.name,
        revision=None,
        target=line.head,
        error=f"{type(problem).__name__}: {problem}",
    )


def lacking(
    targets: Iterable[Target], present: Mapping[str, Mapping[str, str]]
) -> tuple[list[Target], list[Outcome]]:
    """Split ``targets`` into what has something to do, and the outcomes of all that has not."""
    todo: list[Target] = []
    current: list[Outcome] = []
    for target in targets:
        at = present.get(target.scope, {})
        behind = tuple(line for line in target.lines if at.get(line.name, "") != line.head)
        if behind:
            todo.append(Target(target.tenant_id, target.scope, behind))
        current += [
            Outcome(
                tenant_id=target.tenant_id, line=line.name, revision=line.head, target=line.head
            )
            for line in target.lines
            if line not in behind
        ]
    return todo, current
