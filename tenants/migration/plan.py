"""What a run of ``atrium migrate`` would do, found out without changing anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import asyncpg

from core.db import Databases
from core.scope import PLATFORM_SCHEMA, TENANT_ZERO
from core.settings import Settings
from tenants.databases import platform
from tenants.migration.fleet import Fleet, behind
from tenants.migration.lines import BadMigration, Line, Lines, Revision
from tenants.migration.replay import Target, applied, lacking
from tenants.scopes import connected


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """So many ``scopes`` would be brought from ``start`` (None: from nothing) to the end of the
    line by these ``revisions``; ``problem`` says why that cannot be."""

    line: str
    start: str | None
    scopes: int
    revisions: tuple[Revision, ...] = ()
    problem: str | None = None


async def foresee(
    settings: Settings, databases: Databases, lines: Lines, slugs: Collection[str] = ()
) -> list[Step]:
    """The steps of a run, tenant zero's first.

    Tenants can be told only once tenant zero's tables are those that this code knows: while
    these lack something, the plan is theirs alone.
    """
    zero = Target(TENANT_ZERO, PLATFORM_SCHEMA, lines.of_platform())
    async with connected(settings.provisioner_url) as connection:
        first, _ = lacking([zero], await applied(connection))
    if first:
        return list(_steps(first))
    async with databases.transaction(platform(settings)) as session:
        fleet = await Fleet.read(session, settings, lines, slugs)
    todo: list[Target] = []
    away: list[Step] = []
    for place, targets in fleet.targets.items():
        try:
            todo += (await behind(place, targets))[0]
        except (OSError, asyncpg.PostgresError) as problem:
            said = f"database {place.name} does not answer: {type(problem).__name__}"
            away.append(Step(line="all", start=None, scopes=len(targets), problem=said))
    return [*_steps(todo), *away]


def _steps(todo: list[Target]) -> Iterator[Step]:
    lines: dict[str, Line] = {line.name: line for target in todo for line in target.lines}
    counted = Counter(
        (line.name, target.at.get(line.name, "")) for target in todo for line in target.lines
    )
    for (name, at), scopes in sorted(counted.items()):
        start = at or None
        try:
            revisions = tuple(lines[name].after(start))
        except BadMigration as problem:
            yield Step(line=name, start=start, scopes=scopes, problem=str(problem))
        else:
            yield Step(line=name, start=start, scopes=scopes, revisions=revisions)
