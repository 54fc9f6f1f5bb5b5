"""Looking a database over: every scope against its model, and whatever belongs to nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

import asyncpg
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.connections import EXTENSIONS_SCHEMA
from core.plugin import Plugins
from core.scope import PLATFORM_SCHEMA, TENANT_ZERO, scope_name
from tenants.databases import Place
from tenants.doctor.facts import Difference, differences
from tenants.doctor.model import make_model
from tenants.migration.fleet import NoSuchTenant
from tenants.migration.lines import Line, Lines
from tenants.migration.replay import applied
from tenants.models import MAIN_DATABASE, TenantPlugin, TenantRecord, WarmScope
from tenants.scopes import connected

AT_ONCE: Final = 200
"""Scopes compared by one query: what PostgreSQL has to remember of them fits in its memory."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A scope that is to be looked at, what it is called, and the lines that it consists of."""

    scope: str
    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Roll:
    """Everybody by database, and every scope that belongs to somebody, looked at or not."""

    patients: Mapping[str, Sequence[Patient]]
    known: Mapping[str, Collection[str]]
    whole: bool
    """Whether everybody is looked at: only then is it said what belongs to nobody."""


async def call_roll(session: AsyncSession, lines: Lines, slugs: Collection[str] = ()) -> Roll:
    """From the catalogue: with ``slugs`` these tenants alone, else tenant zero and warm scopes too.

    Raises:
        NoSuchTenant: nobody has one of the ``slugs``.
    """
    chosen = select(func.array_agg(TenantPlugin.plugin)).where(
        TenantPlugin.tenant_id == TenantRecord.id, TenantPlugin.state != "installing"
    )
    columns = (TenantRecord.id, TenantRecord.slug, TenantRecord.status, TenantRecord.database)
    rows = (await session.execute(select(*columns, chosen.scalar_subquery().label("has")))).all()
    if unknown := set(slugs) - {row.slug for row in rows}:
        raise NoSuchTenant(f"there is no tenant {', '.join(sorted(unknown))}")
    patients: dict[str, list[Patient]] = {}
    known: dict[str, set[str]] = {MAIN_DATABASE: {PLATFORM_SCHEMA}}
    if not slugs:
        zero = Patient(scope_name(TENANT_ZERO), "tenant zero", lines.of_platform())
        patients[MAIN_DATABASE] = [zero]
    for row in sorted(rows, key=lambda row: row.slug):
        place, scope = row.database or MAIN_DATABASE, scope_name(row.id)
        known.setdefault(place, set()).add(scope)
        settled = row.status not in {"provisioning", "deleting"}
        if settled and (not slugs or row.slug in slugs):
            made_of = lines.of_tenant(row.has or ())
            patients.setdefault(place, []).append(Patient(scope, row.slug, made_of))
    for warm_id, state in await session.execute(select(WarmScope.id, WarmScope.state)):
        known[MAIN_DATABASE].add(scope_name(warm_id))
        if state == "ready" and not slugs:
            patients[MAIN_DATABASE].append(_warm(warm_id, lines))
    return Roll(patients, known, not slugs)


def _warm(warm_id: UUID, lines: Lines) -> Patient:
    return Patient(scope_name(warm_id), f"warm scope {warm_id}", lines.of_tenant(()))


@dataclass(slots=True)
class Findings:
    """What is wrong in a database."""

    differences: list[Difference] = field(default_factory=list)

    def add(self, scope: str, kind: str, subject: str, found: str | None = None) -> None:
        """Something that is not a matter of a model."""
        self.differences.append(Difference(scope, kind, subject, None, found))


async def examine(
    place: Place, patients: Sequence[Patient], known: Collection[str] | None, plugins: Plugins
) -> list[Difference]:
    """Everything that is wrong in one database. Changes nothing: what is made to compare with is
    undone. ``known`` are the scopes that belong to somebody; None leaves strangers alone.

    Raises:
        OSError, asyncpg.PostgresError: the database is away, or refuses us.
    """
    findings = Findings()
    async with connected(place.provisioner_url) as connection:
        revisions = await applied(connection)
        there = {row[0] for row in await connection.fetch("SELECT nspname FROM pg_namespace")}
        if known is not None:
            await _strangers(connection, there, known, revisions, findings)
            await _extensions(connection, plugins, findings)
        alive = []
        for patient in patients:
            if patient.scope not in there:
                findings.add(patient.scope, "schema", "", "is missing")
            elif lines := _standing(patient, revisions.get(patient.scope, {}), findings):
                alive.append(replace(patient, lines=lines))
        for start in range(0, len(alive), AT_ONCE):
            some = alive[start : start + AT_ONCE]
            findings.differences += await _compare(connection, place, some)
    return findings.differences


def _standing(
    patient: Patient, at: Mapping[str, str], findings: Findings
) -> tuple[Line, ...] | None:
    """The lines of a scope as far as it has them; None if this code cannot know."""
    lines = []
    for line in patient.lines:
        revision = at.get(line.name)
        if revision is None:
            findings.add(patient.scope, "revision", line.name, "is not recorded")
            lines.append(line)
        elif not line.has(revision):
            findings.add(patient.scope, "revision", line.name, f"is {revision}, newer than this")
            return None
        else:
            if revision != line.head:
                findings.add(patient.scope, "revision", line.name, f"is {revision}, behind")
            missing = len(line.after(revision))
            lines.append(replace(line, revisions=line.revisions[: len(line.revisions) - missing]))
    for name in sorted(set(at) - {line.name for line in patient.lines}):
        findings.add(patient.scope, "revision", name, "is recorded, but not one of its products")
        return None
    return tuple(lines)


async def _compare(
    connection: asyncpg.Connection, place: Place, patients: Iterable[Patient]
) -> list[Difference]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        made: dict[tuple[Line, ...], str] = {}
        for patient in patients:
            if patient.lines not in made:
                made[patient.lines] = await make_model(connection, place, patient.lines)
        return await differences(connection, {each.scope: made[each.lines] for each in patients})
    finally:
        await transaction.rollback()


async def _strangers(
    connection: asyncpg.Connection,
    there: Collection[str],
    known: Collection[str],
    revisions: Mapping[str, object],
    findings: Findings,
) -> None:
    """Scopes and roles that belong to nobody. Roles are the whole server's: one that anything
    anywhere depends on belongs to another database of it."""
    for name in sorted(set(there) - set(known)):
        if name.startswith("t_"):
            findings.add(name, "schema", "", "belongs to no tenant")
    for name in sorted(set(revisions) - set(there)):
        findings.add(name, "revision", "", "is recorded of a schema that is not there")
    if PLATFORM_SCHEMA not in known:
        return  # roles are the server's, and the main database's to tell
    idle = await connection.fetch(
        "SELECT rolname FROM pg_roles r WHERE rolname ~ '^t_[0-9a-f]{32}$' AND NOT EXISTS"
        " (SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = r.oid)"
    )
    for row in idle:
        if row["rolname"] not in known:
            findings.add(row["rolname"], "role", "", "belongs to no tenant and owns nothing")


async def _extensions(connection: asyncpg.Connection, plugins: Plugins, findings: Findings) -> None:
    rows = await connection.fetch(
        "SELECT extname, nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
    )
    lies = {row["extname"]: row["nspname"] for row in rows}
    for name in sorted({each for plugin in plugins for each in plugin.extensions}):
        if name not in lies:
            findings.add("", "extension", name, "is missing")
        elif lies[name] != EXTENSIONS_SCHEMA:
            findings.add("", "extension", name, f"lies in {lies[name]}")
