"""`atrium migrate` over many scopes: parallel, resumable, and held up by none."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg
import pytest

from atrium.testing.world import World, settings_for
from core.auth.models import User
from core.db import Databases
from core.ids import new_id
from core.permissions import Role
from core.scope import scope_name
from core.settings import Settings
from core.signals import Signals
from tenants.bootstrap import bootstrap
from tenants.databases import platform, register
from tenants.migration.fleet import NoSuchTenant
from tenants.migration.lines import Line, Lines
from tenants.migration.migrate import Plan, Report, migrate
from tenants.migration.plan import foresee
from tenants.migration.replay import Outcome, Pace, Target, replay
from tenants.models import TenantPlugin, TenantRecord
from tenants.scopes import connected, make_role, make_schema
from tests.databases import PASSWORDS
from tests.tenants import killable

TENANTS = 6


@dataclass(frozen=True, slots=True)
class Backlog:
    """An installation whose tenants all stand at core's first revision."""

    settings: Settings
    databases: Databases
    lines: Lines
    signals: Signals
    superuser_dsn: str
    tenants: tuple[UUID, ...]

    async def migrate(self) -> list[Outcome]:
        """What the command does."""
        return (await self.run()).outcomes

    async def run(self, plan: Plan | None = None, lines: Lines | None = None) -> Report:
        """The same, as ``plan`` says."""
        return await migrate(self.settings, self.databases, lines or self.lines, self.signals, plan)

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
    await bootstrap(dsn, PASSWORDS, extensions=("btree_gist", "pg_trgm"))
    settings = replace(
        settings_for(world.postgres, name, world.settings.redis_url),
        master_key_file=world.settings.master_key_file,
    )
    databases = Databases(pool_size=4)
    tenants = tuple(sorted(new_id() for _ in range(TENANTS)))
    made = Backlog(settings, databases, world.lines, world.signals, dsn, tenants)
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


async def test_operators_hear_of_a_run_in_which_something_failed(backlog: Backlog) -> None:
    """Once a run, whatever the number of places; and nothing of a run that went well."""
    operator = new_id()
    async with backlog.databases.transaction(platform(backlog.settings)) as session:
        session.add_all(
            User(id=each, email=f"{each}@atrium.example", name="x", role=role.value)
            for each, role in ((operator, Role.STAFF), (new_id(), Role.MEMBER))
        )
    broken = backlog.tenants[:2]
    for each in broken:
        await backlog.ask(f"CREATE TABLE {scope_name(each)}.users (in_the_way int)")
    await backlog.migrate()
    told = "SELECT user_id, kind, given FROM platform.notifications"
    [row] = await backlog.ask(told)
    assert (row["user_id"], row["kind"]) == (operator, "operator.migration_failed")
    assert json.loads(row["given"])["scopes"] == len(broken)
    for each in broken:
        await backlog.ask(f"DROP TABLE {scope_name(each)}.users")
    await backlog.migrate()
    assert len(await backlog.ask(told)) == 1


async def test_an_unreachable_database_holds_up_nobody_else(backlog: Backlog) -> None:
    """Its tenants are reported one by one; those of other databases finish."""
    away = (new_id(), new_id())
    await _enter(backlog, away, "away")
    outcomes = await backlog.migrate()
    assert {outcome.tenant_id for outcome in outcomes if outcome.error} == set(away)
    assert await backlog.at_head() == TENANTS


async def test_a_busy_scope_comes_again_and_is_named_if_it_stays_busy(backlog: Backlog) -> None:
    """Whoever holds a table for long makes that tenant wait, not the migration."""
    held = scope_name(backlog.tenants[0])
    connection = await asyncpg.connect(backlog.superuser_dsn)
    await connection.execute(
        f"BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('atrium.scope.{held}', 0))"
    )
    short = Pace(lock_timeout="50ms", pauses=(0.05,))
    report = await backlog.run(Plan(pace=short))
    assert {scope_name(outcome.tenant_id) for outcome in report.failed} == {held}
    assert "LockNotAvailable" in (report.failed[0].error or "")
    assert await backlog.at_head() == TENANTS - 1
    running = asyncio.create_task(backlog.run(Plan(pace=Pace(lock_timeout="50ms"))))
    await asyncio.sleep(0.3)
    await connection.close()
    assert not (await running).failed, "once it is let go, the same run brings it up"
    assert await backlog.at_head() == TENANTS


async def test_a_canary_that_fails_stops_the_run(backlog: Backlog) -> None:
    """The others are not touched, and the report says how many."""
    await backlog.ask(f"CREATE TABLE {scope_name(backlog.tenants[1])}.users (in_the_way int)")
    report = await backlog.run(Plan(canary=2))
    assert report.stopped == "1 of the canary failed"
    assert report.untouched == TENANTS - 2
    assert await backlog.at_head() == 1


async def test_a_canary_that_lives_lets_the_others_follow(backlog: Backlog) -> None:
    """A single failure later is no reason to stop."""
    await backlog.ask(f"CREATE TABLE {scope_name(backlog.tenants[-1])}.users (in_the_way int)")
    report = await backlog.run(Plan(canary=1))
    assert report.stopped is None
    assert await backlog.at_head() == TENANTS - 1


async def test_chosen_tenants_alone_are_brought_up(backlog: Backlog) -> None:
    """By their slugs; a slug that nobody has is refused before anything is done."""
    two = backlog.tenants[2:4]
    with pytest.raises(NoSuchTenant, match="nobody"):
        await backlog.run(Plan(slugs=(two[0].hex, "nobody")))
    assert await backlog.at_head() == 0
    await backlog.run(Plan(slugs=tuple(each.hex for each in two)))
    assert await backlog.at_head() == 2


async def test_a_plan_counts_and_changes_nothing(backlog: Backlog) -> None:
    """Per line and starting point: how many scopes, and which revisions they would get."""
    half = tuple(each.hex for each in backlog.tenants[:4])
    await backlog.run(Plan(slugs=half))
    steps = await foresee(backlog.settings, backlog.databases, backlog.lines)
    core, hire = backlog.lines.by_name["core"], backlog.lines.by_name["car_hire"]
    assert [(step.line, step.start, step.scopes, step.revisions) for step in steps] == [
        ("car_hire", None, TENANTS - 4, hire.revisions),
        ("core", core.revisions[0].id, TENANTS - 4, core.revisions[1:]),
    ]
    assert await backlog.at_head() == 4


async def test_the_status_says_who_is_at_work_while_it_runs(backlog: Backlog) -> None:
    """A row per tenant and line: running, then current, with the revision it has."""
    held = backlog.tenants[0]
    connection = await asyncpg.connect(backlog.superuser_dsn)
    await connection.execute(
        "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended"
        f"('atrium.scope.{scope_name(held)}', 0))"
    )
    running = asyncio.create_task(backlog.run())
    asked = (
        "SELECT state, count(*) AS n FROM platform.migration_status"
        " WHERE line = 'core' GROUP BY state"
    )
    seen: dict[str, int] = {}
    for _ in range(200):
        seen = {row["state"]: row["n"] for row in await backlog.ask(asked)}
        if seen == {"running": 1, "current": TENANTS - 1}:
            break
        await asyncio.sleep(0.05)
    await connection.close()
    await running
    assert seen == {"running": 1, "current": TENANTS - 1}
    [row] = await backlog.ask(
        "SELECT * FROM platform.migration_status WHERE tenant_id = $1 AND line = 'core'", held
    )
    head = backlog.lines.by_name["core"].head
    assert (row["state"], row["revision"], row["target"]) == ("current", head, head)


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


@pytest.mark.long
async def test_runs_killed_at_random_leave_nothing_half_done(backlog: Backlog) -> None:
    """kill -9 `atrium migrate` again and again: each scope is whole; the last run finishes."""
    chance, kills, middles = random.Random(9), 0, 0
    while kills < 12 and await backlog.at_head() < TENANTS:
        process = killable.migrating(backlog.settings)
        before = await backlog.at_head()
        for _ in range(2000):
            if await backlog.at_head() > before or not process.is_alive():
                break
            await asyncio.sleep(0.002)
        await asyncio.sleep(chance.uniform(0, 0.03))
        process.kill()
        await asyncio.to_thread(process.join)
        process.close()
        kills += 1
        middles += 0 < await backlog.at_head() < TENANTS
        await _all_whole(backlog)
    assert middles, "it was killed in the middle"
    outcomes = await backlog.migrate()
    assert {outcome.error for outcome in outcomes} == {None}
    assert await backlog.at_head() == TENANTS
    await _all_whole(backlog)
    states = await backlog.ask("SELECT DISTINCT state FROM platform.migration_status")
    assert [row["state"] for row in states] == ["current"]


async def _all_whole(backlog: Backlog) -> None:
    """A half-applied revision leaves tables behind without its record, or the other way."""
    tables = await backlog.ask(
        "SELECT applied, count(DISTINCT tables) AS kinds FROM (SELECT s.scope,"
        " (SELECT string_agg(a.line || a.revision, ' ' ORDER BY a.line)"
        "   FROM migrations.applied a WHERE a.scope = s.scope) AS applied,"
        " (SELECT count(*) FROM pg_tables WHERE schemaname = s.scope) AS tables"
        " FROM (SELECT DISTINCT scope FROM migrations.applied WHERE scope ~ '^t_') s) x"
        " GROUP BY applied"
    )
    assert {row["kinds"] for row in tables} == {1}


async def test_the_command_says_what_failed_and_ends_with_an_error(backlog: Backlog) -> None:
    """Its exit code stops a deployment."""
    broken = backlog.tenants[0]
    await backlog.ask(f"CREATE TABLE {scope_name(broken)}.users (in_the_way int)")
    process = killable.migrating(backlog.settings)
    await asyncio.to_thread(process.join)
    assert process.exitcode == 1
    process.close()
    assert await backlog.at_head() == TENANTS - 1
