"""Writing down how a run goes: a row per scope and line in the catalogue, for people to read,
and for every process to know which scopes its code can serve."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import now
from core.db import Databases, is_away
from core.scope import Tenant
from core.signals import Signals
from tenants import notices
from tenants.changes import announce
from tenants.migration.replay import Outcome, Target
from tenants.models import MigrationStatus

log = structlog.get_logger(__name__)

EVERY: Final = 0.25
"""Seconds between two writings: a thousand scopes must not cost two thousand transactions."""
_AT_ONCE: Final = 500
_TOLD: Final = ("revision", "contracted", "target", "state", "error")

Row = Mapping[str, Any]


@dataclass(slots=True)
class Ledger:
    """A ``Watch`` whose rows are written a few times a second while ``writing``."""

    databases: Databases
    platform: Tenant
    signals: Signals
    _failed: list[tuple[UUID, str]] = field(default_factory=list)
    _unwritten: dict[tuple[UUID, str], Row] = field(default_factory=dict)

    def begun(self, target: Target) -> None:
        """Note the lines of a scope as running."""
        for line in target.lines:
            self._unwritten[target.tenant_id, line.name] = {
                "tenant_id": target.tenant_id,
                "line": line.name,
                "revision": target.at.get(line.name),
                "contracted": None,
                "target": line.head,
                "state": "running",
                "error": None,
                "changed_at": now(),
            }

    def ended(self, outcome: Outcome) -> None:
        """Note how a line ended in a scope."""
        self._unwritten[outcome.tenant_id, outcome.line] = row_of(outcome)
        if outcome.error:
            self._failed.append((outcome.tenant_id, outcome.line))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Write while within, and the rest at its end."""
        steadily = asyncio.create_task(self._write_steadily())
        try:
            yield
        finally:
            steadily.cancel()
            await asyncio.wait([steadily])
            await self._write()
        if self._failed:
            async with self.databases.transaction(self.platform) as session:
                await notices.tell_operators(session, self._failed)

    async def _write_steadily(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await asyncio.shield(self._write())
            except Exception as problem:
                if not is_away(problem):
                    raise
                log.warning("migration.status_unwritten", error=type(problem).__name__)

    async def _write(self) -> None:
        rows, self._unwritten = list(self._unwritten.values()), {}
        for start in range(0, len(rows), _AT_ONCE):
            async with self.databases.transaction(self.platform) as session:
                for tenant_id in await write(session, rows[start : start + _AT_ONCE]):
                    announce(session, self.signals, tenant_id)


async def write(session: AsyncSession, rows: Iterable[Row]) -> set[UUID]:
    """Enter ``rows`` as far as they say something new; whose revisions have changed thereby."""
    batch = sorted(rows, key=lambda row: (row["tenant_id"], row["line"]))
    known = await _known(session, {row["tenant_id"] for row in batch})
    new = [row for row in batch if known.get(_key(row)) != tuple(row[name] for name in _TOLD)]
    if new:
        wanted = insert(MigrationStatus).values([dict(row) for row in new])
        given, kept = wanted.excluded, MigrationStatus
        await session.execute(
            wanted.on_conflict_do_update(
                index_elements=[kept.tenant_id, kept.line],
                set_={
                    "revision": func.coalesce(given.revision, kept.revision),
                    "contracted": func.coalesce(given.contracted, kept.contracted),
                    "target": given.target,
                    "state": given.state,
                    "error": given.error,
                    "changed_at": given.changed_at,
                },
            )
        )
    moved = (row for row in new if row["state"] == "current")
    return {
        row["tenant_id"] for row in moved if known.get(_key(row), (None,))[0] != row["revision"]
    }


async def _known(
    session: AsyncSession, tenants: set[UUID]
) -> dict[tuple[UUID, str], tuple[Any, ...]]:
    told = [getattr(MigrationStatus, name) for name in _TOLD]
    rows = await session.execute(
        select(MigrationStatus.tenant_id, MigrationStatus.line, *told).where(
            MigrationStatus.tenant_id.in_(tenants)
        )
    )
    return {(row[0], row[1]): tuple(row[2:]) for row in rows}


def _key(row: Row) -> tuple[UUID, str]:
    return row["tenant_id"], row["line"]


def row_of(outcome: Outcome) -> Row:
    """An outcome as the catalogue keeps it."""
    return {
        "tenant_id": outcome.tenant_id,
        "line": outcome.line,
        "revision": outcome.revision,
        "contracted": outcome.contracted,
        "target": outcome.target,
        "state": "failed" if outcome.error else "current",
        "error": outcome.error,
        "changed_at": now(),
    }
