"""`atrium migrate` over many scopes: parallel, resumable, and held up by none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg
import pytest

from core.db import Databases
from core.ids import new_id
from core.scope import scope_name
from core.settings import Settings
from tenants.bootstrap import bootstrap
from tenants.databases import platform, register
from tenants.migration.lines import Line, Lines
from tenants.migration.migrate import migrate
from tenants.migration.replay import Outcome, Target, replay
from tenants.models import TenantPlugin, TenantRecord
from tenants.scopes import connected, make_role, make_schema
from tests.databases import PASSWORDS
from tests.tenants import killable
from tests.world import World, settings_for

TENANTS = 12


@dataclass(frozen=True, slots=True)
class Backlog:
    """An installation whose tenants all stand at core's first revision."""

    settings: Settings
    databases: Databases
    lines: Lines
    superuser_dsn: str
    tenants: tuple[UUID, ...]

    async def migrate(self) -> list[Outcome]:
        """What the command does."""
        return await migrate(self.settings, self.databases, self.lines)

    async def ask(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """What the administrator reads or does."""
        connection = await asyncpg.connect(self.superuser_dsn)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *values)
            return rows
        finally:
            await connection.close()

    async def at_head(self) -> int:
        """How many of the tenants have every line at its head."""
        rows = await self.ask(
            "SELECT scope, count(*) AS n FROM migrations.applied WHERE scope ~ '^t_'"
            " AND (line, revision) IN (SELECT * FROM unnest($1::text[], $2::text[]))"
            " GROUP BY scope",
            [line.name for line in self.lines.of_tenant(["car_hire"])],
            [line.head for line in self.lines.of_tenant(["car_hire"])],
        )
        return sum(row["n"] == 2 for row in rows)


@pytest.fixture
async def backlog(world: World) -> AsyncIterator[Backlog]:
    """A database of its own, with the world's keys."""
    name = await world.postgres.create_database("backlog")
    dsn = world.postgres.dsn(name)
    await bootstrap(dsn, PASSWORDS, extensions=("btree_gist",))
    settings = replace(
        settings_for(world.postgres, name, world.settings.redis_url),
        master_key_file=world.settings.master_key_file,
    )
    databases = Databases(pool_size=4)
    tenants = tuple(new_id() for _ in range(TENANTS))
    made = Backlog(settings, databases, world.lines, dsn, tenants)
    await made.migrate()
    await _enter(made, tenants)
    async with connected(settings.provisioner_url) as connection:
        for tenant_id in tenants:
            await make_role(connection, scope_name(tenant_id))
            await make_schema(connection, scope_name(tenant_id))
    core = world.lines.by_name["core"]
    first = Line("core", core.revisions[:1])
    await replay(
        settings.provisioner_url, [Target(each, scope_name(each), (first,)) for each in tenants]
    )
    yield made
    await databases.dispose()
    await world.postgres.drop_database(name)


async def _enter(made: Backlog, tenants: tuple[UUID, ...], database: str | None = None) -> None:
    async with made.databases.transaction(platform(made.settings)) as session:
        if database is not None:
            await register(
                session, name=database, host="127.0.0.1", port=1, dbname="nowhere", dedicated=False
            )
        session.add_all(
            TenantRecord(
                id=each,
                slug=each.hex,
                look=each.hex,
                name=each.hex,
                status="active",
                zone="UTC",
                currency="EUR",
                database=database,
            )
            for each in tenants
        )
        await session.flush()
        session.add_all(
            TenantPlugin(tenant_id=each, plugin="car_hire", state="enabled") for each in tenants
        )


async def test_every_scope_reaches_the_head_and_a_second_run_finds_nothing(
    backlog: Backlog,
) -> None:
    """All lines of all tenants are brought up once; again, nothing is applied."""
    first = await backlog.migrate()
    assert {outcome.error for outcome in first} == {None}
    assert await backlog.at_head() == TENANTS
    again = await backlog.migrate()
    assert sum(outcome.applied for outcome in again) == 0
    assert len(again) == 2 * TENANTS


async def test_a_broken_tenant_is_named_and_the_others_finish(backlog: Backlog) -> None:
    """Its status row says why; mended, it catches up."""
    broken = backlog.tenants[TENANTS // 2]
    await backlog.ask(f"CREATE TABLE {scope_name(broken)}.users (in_the_way int)")
    failed = [outcome for outcome in await backlog.migrate() if outcome.error]
    assert {outcome.tenant_id for outcome in failed} == {broken}
    assert await backlog.at_head() == TENANTS - 1
    status = (
        "SELECT line, state, error FROM platform.migration_status"
        " WHERE tenant_id = $1 AND line = 'core'"
    )
    [row] = await backlog.ask(status, broken)
    assert row["state"] == "failed"
    assert "users" in row["error"]
    await backlog.ask(f"DROP TABLE {scope_name(broken)}.users")
    assert not [outcome for outcome in await backlog.migrate() if outcome.error]
    assert await backlog.at_head() == TENANTS
    [row] = await backlog.ask(status, broken)
    assert (row["state"], row["error"]) == ("current", None)


async def test_an_unreachable_database_holds_up_nobody_else(backlog: Backlog) -> None:
    """Its tenants are reported one by one; those of other databases finish."""
    away = (new_id(), new_id())
    await _enter(backlog, away, "away")
    outcomes = await backlog.migrate()
    assert {outcome.tenant_id for outcome in outcomes if outcome.error} == set(away)
    assert await backlog.at_head() == TENANTS


async def test_a_locked_scope_is_reported_and_left_for_later(backlog: Backlog) -> None:
    """Whoever holds a table for long makes that tenant wait, not the migration."""
    held = scope_name(backlog.tenants[0])
    line = Line("core", (*backlog.lines.by_name["core"].revisions,))
    connection = await asyncpg.connect(backlog.superuser_dsn)
    await connection.execute(
        f"BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('atrium.scope.{held}', 0))"
    )
    outcomes = await replay(
        backlog.settings.provisioner_url,
        [Target(each, scope_name(each), (line,)) for each in backlog.tenants[:3]],
    )
    await connection.close()
    stuck = [outcome for outcome in outcomes if outcome.error]
    assert [scope_name(outcome.tenant_id) for outcome in stuck] == [held]
    assert "LockNotAvailable" in (stuck[0].error or "")


async def test_runs_at_the_same_time_apply_nothing_twice(backlog: Backlog) -> None:
    """Three at once: each revision of each scope is applied by one of them."""
    outcomes = [
        outcome
        for each in await asyncio.gather(*(backlog.migrate() for _ in range(3)))
        for outcome in each
    ]
    assert {outcome.error for outcome in outcomes} == {None}
    lacked = len(backlog.lines.by_name["core"].revisions) - 1
    lacked += len(backlog.lines.by_name["car_hire"].revisions)
    assert sum(outcome.applied for outcome in outcomes) == TENANTS * lacked
    assert await backlog.at_head() == TENANTS


async def test_a_killed_run_is_taken_up_by_the_next(backlog: Backlog) -> None:
    """kill -9 `atrium migrate` in the middle: each scope is whole; the next run finishes."""
    process = killable.migrating(backlog.settings)
    for _ in range(4000):
        if await backlog.at_head() >= 2:
            break
        await asyncio.sleep(0.005)
    process.kill()
    await asyncio.to_thread(process.join)
    process.close()
    reached = await backlog.at_head()
    assert 2 <= reached < TENANTS, "it was killed in the middle"
    outcomes = await backlog.migrate()
    assert {outcome.error for outcome in outcomes} == {None}
    assert await backlog.at_head() == TENANTS
    assert sum(outcome.applied > 0 for outcome in outcomes) <= 2 * (TENANTS - reached)
    # A half-applied revision would have left its tables behind without its record, or twice.
    tables = await backlog.ask(
        "SELECT count(*) AS n FROM pg_tables WHERE schemaname ~ '^t_' GROUP BY schemaname"
    )
    assert len({row["n"] for row in tables}) == 1


async def test_the_command_says_what_failed_and_ends_with_an_error(backlog: Backlog) -> None:
    """Its exit code stops a deployment."""
    broken = backlog.tenants[0]
    await backlog.ask(f"CREATE TABLE {scope_name(broken)}.users (in_the_way int)")
    process = killable.migrating(backlog.settings)
    await asyncio.to_thread(process.join)
    assert process.exitcode == 1
    process.close()
    assert await backlog.at_head() == TENANTS - 1
