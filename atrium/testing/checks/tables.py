"""Migrations and tables: compiled offline, placed in their own line, true to the models."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Final

from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Table
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, alone, for_each
from atrium.testing.schemas import Schema, differences
from atrium.testing.trial import Trial
from core.db import Base
from core.i18n import LazyText
from core.scope import Tenant
from tenants.migration.lines import BadMigration, Line, Revision
from tenants.migration.replay import bring_up
from tenants.scopes import connected

NOT_ITS_OWN: Final = re.compile(
    r"\b(CREATE|DROP|ALTER)\s+(ROLE|SCHEMA|EXTENSION|DATABASE|TYPE)\b|\b(GRANT|REVOKE)\b"
    r"|\bSET\s+(ROLE|SESSION|search_path)\b|\bSECURITY\s+DEFINER\b",
    re.IGNORECASE,
)
_DATA: Final = re.compile(r"^\s*(UPDATE|DELETE)\b", re.IGNORECASE)
_INEXACT: Final = frozenset({"real", "double precision", "money"})
_WITHOUT_ZONE: Final = frozenset({"timestamp without time zone", "time with time zone"})


def its_migrations_compile_offline(it: Candidate) -> Iterator[str]:
    """They are compiled once and replayed over every tenant: none may ask the database."""
    try:
        it.line  # noqa: B018  # compiles it
    except BadMigration as problem:
        yield str(problem)


def its_line_depends_on_no_other(it: Candidate) -> Iterator[str]:
    """Each line is applied by itself, where its plugin is enabled."""
    if folder := it.migrations:
        for script in ScriptDirectory(folder).walk_revisions():
            if script.dependencies or script.branch_labels:
                yield f"{script.revision} has depends_on or branch_labels"


def its_revisions_bear_its_name(it: Candidate) -> Iterator[str]:
    """A tenant's status names revisions of many plugins side by side."""
    if folder := it.migrations:
        for script in ScriptDirectory(folder).walk_revisions():
            if not re.fullmatch(rf"{it.plugin.name}_\d{{4}}\w*", script.revision):
                yield f"{script.revision} should be {it.plugin.name}_0001 and so on"


def its_models_name_their_line(it: Candidate) -> Iterator[str]:
    """By it the tables of one plugin are told from another's."""
    for name, table in Base.metadata.tables.items():
        is_own = name.startswith(f"{it.plugin.name}_")
        if is_own != (table.info.get("line") == it.plugin.name) and is_own:
            yield f'{name}: say __table_args__ = ({{"info": {{"line": "{it.plugin.name}"}}}},)'


def its_models_bear_its_name(it: Candidate) -> Iterator[str]:
    """All plugins' tables lie in one schema: a table of a common name would be somebody else's."""
    for table in models_of(it):
        if not table.name.startswith(f"{it.plugin.name}_"):
            yield f"{table.name} should begin with {it.plugin.name}_"


def the_revision_keeps_to_its_schema(it: Candidate, revision: Revision) -> Iterator[str]:
    """Roles, schemas, types, extensions and grants are Atrium's own."""
    # What was issued stays: a plugin may take changing it from the business, in tables of its own.
    own = rf"{it.plugin.name}_\w+"
    withheld = re.compile(rf"REVOKE UPDATE, DELETE, TRUNCATE ON {own}(, {own})* FROM ' \|\| tenant")
    for statement in revision.statements:
        if found := NOT_ITS_OWN.search(withheld.sub("", statement)):
            yield f"{found[0]} in: {statement[:100]}"


def the_revision_changes_no_data(it: Candidate, revision: Revision) -> Iterator[str]:
    """It would hold locks on a thousand tenants' tables: a change of data is a job."""
    for statement in revision.statements:
        if _DATA.search(statement):
            yield statement[:100]


def its_tables_say_what_they_keep(it: Candidate) -> Iterator[str]:
    """Whoever chooses it reads so on its page in the portal, in their language."""
    for table in models_of(it):
        if not isinstance(table.info.get("keeps"), LazyText):
            yield f'{table.name}: write info={{"line": …, "keeps": _("what it holds")}}'


async def its_tables_are_its_own(trial: Trial) -> AsyncIterator[str]:
    """What it brings is named after it: nothing of it lies where it might be somebody else's."""
    for table in sorted(await _brought(trial)):
        if not table.startswith(f"{trial.plugin.name}_"):
            yield f"{table} should begin with {trial.plugin.name}_"


async def its_tables_are_those_of_its_models(trial: Trial) -> AsyncIterator[str]:
    """Alembic's comparison of tables, columns, types, defaults, keys and indexes is empty."""
    tables = await _brought(trial) | {table.name for table in models_of(trial.candidate)}
    async with Schema.of(trial.world, trial.only) as schema:
        for difference in await schema.compared(Base.metadata, tables):
            yield str(difference)


async def its_constraints_are_those_of_its_models(trial: Trial) -> AsyncIterator[str]:
    """Alembic does not compare CHECK and EXCLUDE constraints; their names must agree."""
    declared = {
        (table.name, str(constraint.name))
        for table in models_of(trial.candidate)
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint | ExcludeConstraint)
    }
    async with Schema.of(trial.world, trial.only) as schema:
        found = await schema.constraints(f"{trial.plugin.name}_")
    for table, name in sorted(declared ^ found):
        yield f"{table}.{name} is {'declared' if (table, name) in declared else 'made'} only"


async def its_tables_have_primary_keys(trial: Trial) -> AsyncIterator[str]:
    """Rows that cannot be named cannot be exported, corrected or erased."""
    async with Schema.of(trial.world, trial.here) as schema:
        keyed = await schema.keyed()
    for table in sorted(await _brought(trial) - keyed):
        yield table


async def its_columns_are_exact(trial: Trial) -> AsyncIterator[str]:
    """Times bear a zone, and amounts are no approximations."""
    async for table, column, kind in _columns(trial):
        if kind in _WITHOUT_ZONE:
            yield f"{table}.{column}: DateTime(timezone=True), not {kind}"
        if kind in _INEXACT and re.search(r"price|amount|fee|rate|total|balance", column):
            yield f"{table}.{column}: Numeric, not {kind}"


async def its_keys_lead_to_its_own_or_cores_tables(trial: Trial) -> AsyncIterator[str]:
    """Another plugin's table is not there where that plugin is not enabled."""
    async with Schema.of(trial.world, trial.without) as schema:
        allowed = await schema.tables() | await _brought(trial)
    async with Schema.of(trial.world, trial.here) as schema:
        for table, target in await schema.references():
            if table in await _brought(trial) and target not in allowed:
                yield f"{table} refers to {target}"


async def applying_its_line_again_changes_nothing(trial: Trial) -> AsyncIterator[str]:
    """A killed run is simply run again, over schemas that hold data."""
    async with Schema.of(trial.world, trial.here) as schema:
        before = await schema.counted(), await schema.described()
        applied = await bring_it_up(trial, trial.here, trial.candidate.line)
        after = await schema.counted(), await schema.described()
    if applied or before != after:
        yield f"{applied} revisions were applied again; {differences(before[1], after[1])}"


def models_of(it: Candidate) -> list[Table]:
    """Its tables, as its models describe them."""
    tables = Base.metadata.tables.values()
    return [table for table in tables if table.info.get("line") == it.plugin.name]


async def _brought(trial: Trial) -> set[str]:
    """The tables that a tenant has because it has the plugin."""
    async with Schema.of(trial.world, trial.only) as schema:
        having = await schema.tables()
    async with Schema.of(trial.world, trial.without) as schema:
        return having - await schema.tables()


async def _columns(trial: Trial) -> AsyncIterator[tuple[str, str, str]]:
    brought = await _brought(trial)
    async with Schema.of(trial.world, trial.here) as schema:
        for table, column, kind in await schema.columns():
            if table in brought:
                yield table, column, kind


async def bring_it_up(trial: Trial, tenant: Tenant, line: Line) -> int:
    async with connected(trial.world.settings.provisioner_url) as connection:
        return await bring_up(connection, tenant.scope.name, line)


def declared(it: Candidate) -> list[Check]:
    """The checks that need no server."""
    found = alone(
        its_migrations_compile_offline,
        its_line_depends_on_no_other,
        its_revisions_bear_its_name,
        its_models_name_their_line,
        its_models_bear_its_name,
        its_tables_say_what_they_keep,
    )
    return found + for_each(
        revisions_of(it),
        the_revision_keeps_to_its_schema,
        the_revision_changes_no_data,
    )


def at_work(it: Candidate) -> list[Check]:
    """The checks that need tenants."""
    return alone(
        its_tables_are_its_own,
        its_tables_are_those_of_its_models,
        its_constraints_are_those_of_its_models,
        its_tables_have_primary_keys,
        its_columns_are_exact,
        its_keys_lead_to_its_own_or_cores_tables,
        applying_its_line_again_changes_nothing,
    )


def revisions_of(it: Candidate) -> tuple[Revision, ...]:
    try:
        return it.line.revisions
    except BadMigration:
        return ()  # its_migrations_compile_offline says why
