"""The way back: every revision can be undone, offline, on an empty schema and on a filled one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, alone, for_each
from atrium.testing.checks.tables import (
    NOT_ITS_OWN,
    bring_it_up,
    revisions_of,
)
from atrium.testing.schemas import Schema, differences
from atrium.testing.trial import Trial
from core.scope import Tenant
from tenants.migration.down import take_back
from tenants.migration.lines import BadMigration, Revision
from tenants.scopes import connected


def its_migrations_can_be_undone_offline(it: Candidate) -> Iterator[str]:
    """Each has a downgrade() that asks no database: who has to go back has no time to write it."""
    try:
        it.back  # noqa: B018  # compiles it
    except BadMigration as problem:
        yield str(problem)


def the_way_back_keeps_to_its_schema(it: Candidate, revision: Revision) -> Iterator[str]:
    """As the way there: roles, schemas, types, extensions and grants are Atrium's own."""
    for statement in _statements(it, revision):
        if found := NOT_ITS_OWN.search(statement):
            yield f"{found[0]} in: {statement[:100]}"


def the_way_back_touches_its_own_tables_alone(it: Candidate, revision: Revision) -> Iterator[str]:
    """A table that is dropped or changed is the plugin's."""
    for statement in _statements(it, revision):
        words = statement.replace('"', "").split()
        if words[:2] in (["DROP", "TABLE"], ["ALTER", "TABLE"]):
            table = next(each for each in words[2:] if each not in {"IF", "EXISTS", "ONLY"})
            if not table.startswith(f"{it.plugin.name}_"):
                yield statement[:100]


async def each_revision_can_be_undone_by_itself(trial: Trial) -> AsyncIterator[str]:
    """What it leaves is what was before it; a tenant brought up step by step, undoing and doing
    each again, ends where a new one begins."""
    line = trial.candidate.line
    tenant = await trial.world.provision(plugins=())
    before, described = None, await _described(trial, tenant)
    for position, revision in enumerate(line.revisions, start=1):
        so_far = replace(line, revisions=line.revisions[:position])
        await bring_it_up(trial, tenant, so_far)
        if await _take_back(trial, tenant, before) != 1:
            yield f"{revision.id} was not undone"
        for fault in differences(described, await _described(trial, tenant)):
            yield f"{revision.id} undone: {fault}"
        await bring_it_up(trial, tenant, so_far)
        before, described = revision.id, await _described(trial, tenant)
    for fault in differences(described, await _described(trial, trial.only)):
        yield f"step by step: {fault}"


async def a_filled_schema_goes_back_and_up_again(trial: Trial) -> AsyncIterator[str]:
    """With its demo data: first the newest revision, then all of them; what there is in the end
    is what a new tenant has, and rows that no revision took away are still there."""
    line = trial.candidate.line
    tenant = await trial.world.provision(plugins=(trial.plugin.name,))
    if trial.plugin.demo is not None:
        async with trial.world.databases.transaction(tenant) as session:
            await trial.plugin.demo(session)
    async with Schema.of(trial.world, tenant) as schema:
        before = await schema.counted()
    one_back = line.revisions[-2].id if len(line.revisions) > 1 else None
    for to in (one_back, None):
        await _take_back(trial, tenant, to)
        async with Schema.of(trial.world, tenant) as schema:
            left = await schema.counted()
        await bring_it_up(trial, tenant, line)
        async with Schema.of(trial.world, tenant) as schema:
            described, after = await schema.described(), await schema.counted()
        for fault in differences(described, await _described(trial, trial.only)):
            yield fault
        own = f"{trial.plugin.name}_"
        for table, rows in after.items():
            kept = not table.startswith(own) or (to is not None and rows)
            if table in left and kept and rows != before[table]:
                yield f"{table} had {before[table]} rows and has {rows}"


async def nothing_of_it_is_left_when_all_is_undone(trial: Trial) -> AsyncIterator[str]:
    """A tenant that never had it looks the same; done twice, the second time does nothing."""
    tenant = await trial.world.provision(plugins=(trial.plugin.name,))
    await _take_back(trial, tenant, None)
    if await _take_back(trial, tenant, None):
        yield "it was undone twice"
    described = await _described(trial, tenant)
    for fault in differences(described, await _described(trial, trial.without)):
        yield fault


def _statements(it: Candidate, revision: Revision) -> tuple[str, ...]:
    try:
        return it.back[revision.id]
    except BadMigration:
        return ()  # its_migrations_can_be_undone_offline says why


async def _take_back(trial: Trial, tenant: Tenant, to: str | None) -> int:
    back, line = trial.candidate.back, trial.candidate.line
    async with connected(trial.world.settings.provisioner_url) as connection:
        return await take_back(connection, tenant.scope.name, line, back, to)


async def _described(trial: Trial, tenant: Tenant) -> dict[str, list[str]]:
    async with Schema.of(trial.world, tenant) as schema:
        return dict(await schema.described())


def declared(it: Candidate) -> list[Check]:
    """The checks that need no server."""
    return alone(its_migrations_can_be_undone_offline) + for_each(
        revisions_of(it),
        the_way_back_keeps_to_its_schema,
        the_way_back_touches_its_own_tables_alone,
    )


def at_work(it: Candidate) -> list[Check]:
    """The checks that need tenants, for a plugin that has a line."""
    if not revisions_of(it):
        return []
    return alone(
        each_revision_can_be_undone_by_itself,
        a_filled_schema_goes_back_and_up_again,
        nothing_of_it_is_left_when_all_is_undone,
    )
