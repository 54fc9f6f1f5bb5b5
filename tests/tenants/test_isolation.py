"""Nobody reads another tenant's rows: PostgreSQL refuses, pooled and dedicated alike."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.world import World
from core.connections import ScopedConnection
from core.db import Databases
from core.scope import NoScope, Scope, Tenant, current

WHO = pytest.mark.parametrize("who", ["acme", "delta", "platform"])

UNDEFINED_TABLE = "42P01"
FORBIDDEN = "42501"


def _tenant(world: World, who: str) -> Tenant:
    tenant: Tenant = getattr(world, who)
    return tenant


async def _refused(session: AsyncSession, sql: str) -> str | None:
    """The SQLSTATE with which PostgreSQL refuses; None if it does not. Nothing stays done."""
    try:
        async with session.begin_nested():
            await session.execute(text(sql))
    except DBAPIError as problem:
        return getattr(problem.orig, "sqlstate", None)
    return None


@pytest.fixture
async def bare(world: World, request: pytest.FixtureRequest) -> asyncpg.Connection:
    """The application's own login, with no scope opened."""
    tenant = _tenant(world, request.param)
    connection = await asyncpg.connect(
        tenant.scope.database.dsn, server_settings={"search_path": ""}
    )
    yield connection
    await connection.close()


BARE = pytest.mark.parametrize("bare", ["acme", "delta"], indirect=True)


def test_asking_for_the_tenant_outside_every_scope_raises() -> None:
    """Code that forgot to open a scope fails at once, in Python already."""
    with pytest.raises(NoScope):
        current()


@pytest.mark.parametrize("name", ["t_1", "public", "t_" + "g" * 32, "platform; DROP TABLE x", ""])
def test_a_scope_has_a_strict_name(world: World, name: str) -> None:
    """What is written into the opening statement can be nothing but a scope's name."""
    with pytest.raises(ValueError, match="not the name of a scope"):
        Scope(world.acme.scope.database, name)


@BARE
async def test_outside_a_scope_no_table_exists(bare: asyncpg.Connection) -> None:
    """The application's login alone finds no relation: 42P01."""
    with pytest.raises(asyncpg.UndefinedTableError):
        await bare.fetch("SELECT * FROM users")


@BARE
async def test_outside_a_scope_a_qualified_name_is_refused(
    bare: asyncpg.Connection, world: World
) -> None:
    """Naming a tenant's schema, the catalogue's, the outbox or the versions: 42501."""
    for name in (
        f"{world.acme.scope.name}.users",
        f"{world.delta.scope.name}.users",
        "platform.tenants",
        "outbox.messages",
        "migrations.applied",
    ):
        if await bare.fetchval("SELECT to_regnamespace($1) IS NULL", name.split(".")[0]):
            continue  # it lies in the other database
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bare.fetch(f"SELECT * FROM {name}")


@BARE
async def test_the_login_may_make_nothing(bare: asyncpg.Connection) -> None:
    """No schema, no table anywhere, not even a temporary one."""
    for sql in (
        "CREATE SCHEMA mine",
        "CREATE TABLE public.mine (a int)",
        "CREATE TABLE extensions.mine (a int)",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE ROLE mine",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bare.execute(sql)


async def test_a_dedicated_login_cannot_enter_the_shared_database(world: World) -> None:
    """delta's login is refused at the door of the others' database, and theirs at delta's."""
    own = world.delta.scope.database.dsn
    for dsn in (
        own.replace(world.own_database, world.main_database),
        world.settings.database_url.replace(world.main_database, world.own_database),
    ):
        with pytest.raises(asyncpg.PostgresError, match="denied for database"):
            await asyncpg.connect(dsn)


@WHO
async def test_a_session_works_in_its_own_schema_as_its_own_role(world: World, who: str) -> None:
    """search_path and role are those of the tenant, and there is something to read."""
    tenant = _tenant(world, who)
    async with world.databases.transaction(tenant) as session:
        row = (await session.execute(text("SELECT current_user, current_schema()"))).one()
        await session.execute(text("SELECT count(*) FROM users"))
    assert tuple(row) == (tenant.scope.name, tenant.scope.name)


async def test_another_tenants_tables_are_refused(world: World) -> None:
    """Read, written, emptied, locked, altered: the role of one is refused on the other's."""
    other = f"{world.bravo.scope.name}.users"
    async with world.databases.transaction(world.acme) as session:
        for sql in (
            f"SELECT * FROM {other}",
            f"INSERT INTO {other} (id) VALUES (gen_random_uuid())",
            f"UPDATE {other} SET name = 'x'",
            f"DELETE FROM {other}",
            f"TRUNCATE {other}",
            f"LOCK TABLE {other}",
            "SELECT * FROM platform.tenants",
            "SELECT * FROM outbox.messages",
            "INSERT INTO migrations.applied VALUES ('x', 'core', 'core_9999')",
        ):
            assert await _refused(session, sql) == FORBIDDEN, sql


@WHO
async def test_a_tenant_owns_nothing_and_alters_nothing(world: World, who: str) -> None:
    """Its role uses its tables; their making is the owner's."""
    async with world.databases.transaction(_tenant(world, who)) as session:
        for sql in (
            "CREATE TABLE mine (a int)",
            "ALTER TABLE users ADD COLUMN mine int",
            "DROP TABLE users",
            "TRUNCATE users",
            "CREATE INDEX mine ON users (name)",
            "CREATE TRIGGER mine BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()",
        ):
            assert await _refused(session, sql) == FORBIDDEN, sql


async def test_a_path_of_two_tenants_gives_no_second_one(world: World) -> None:
    """Widening the search_path finds the other's table, and is refused on it."""
    async with world.databases.transaction(world.acme) as session:
        await session.execute(text(f"SET LOCAL search_path = {world.bravo.scope.name}"))
        # A schema that the role may not use is passed over as if it were not there.
        assert await _refused(session, "SELECT * FROM users") == UNDEFINED_TABLE


@pytest.mark.parametrize("who", ["acme", "delta"])
async def test_settings_of_a_session_do_not_reach_the_next_tenant(world: World, who: str) -> None:
    """A session-level SET, committed, gives the next user of that connection nothing.

    PostgreSQL lets whoever runs SQL become any role that the login is a member of. Others are
    protected because every transaction opens with a path and a role of its own.
    """
    cache = world.settings.statement_cache
    tenant, databases = _tenant(world, who), Databases(pool_size=1, statement_cache=cache)
    names = f"{tenant.scope.name}, {world.bravo.scope.name}"
    async with databases.transaction(tenant) as session:
        await session.execute(text(f"SET SESSION search_path = {names}"))
        await session.execute(text(f"SET SESSION ROLE {tenant.scope.name}"))
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
    next_one = world.bravo if who == "acme" else tenant
    async with databases.transaction(next_one) as session:
        row = await session.execute(text("SELECT pg_backend_pid(), current_user, current_schema()"))
        assert tuple(row.one()) == (pid, next_one.scope.name, next_one.scope.name)
        if who == "acme":
            assert await _refused(session, f"SELECT * FROM {tenant.scope.name}.users") == FORBIDDEN
    async with databases.transaction(tenant) as session:  # a pooler would lend it to others
        await session.execute(text("RESET ROLE"))
        await session.execute(text("RESET search_path"))
    await databases.dispose()


async def _driver(session: AsyncSession) -> ScopedConnection:
    raw = await (await session.connection()).get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, ScopedConnection)
    return driver


async def _bare_state(driver: ScopedConnection) -> tuple[str, str, bool]:
    row = await driver.fetchrow("SELECT current_setting('role'), current_setting('search_path')")
    return row[0], row[1].strip('"'), driver.is_in_transaction()


CLEAN = ("none", "", False)


@pytest.mark.parametrize("who", ["acme", "delta"])
async def test_a_connection_carries_no_scope_after_commit(world: World, who: str) -> None:
    """Once a transaction has ended, its connection may read nothing."""
    async with world.databases.session(_tenant(world, who)) as session:
        driver = await _driver(session)
        await session.execute(text("SELECT 1 FROM users"))
        await session.commit()
        assert await _bare_state(driver) == CLEAN


@pytest.mark.parametrize("who", ["acme", "delta"])
async def test_a_connection_carries_no_scope_after_an_error(world: World, who: str) -> None:
    """Neither after an error and the roll-back that follows it."""
    async with world.databases.session(_tenant(world, who)) as session:
        driver = await _driver(session)
        with pytest.raises(DBAPIError):
            await session.execute(text("SELECT 1 / 0"))
        await session.rollback()
        assert await _bare_state(driver) == CLEAN


@pytest.mark.parametrize("who", ["acme", "delta"])
async def test_a_connection_carries_no_scope_after_a_cancellation(world: World, who: str) -> None:
    """Neither when the task was cancelled in the middle of a statement."""
    tenant = _tenant(world, who)
    held: asyncio.Future[ScopedConnection] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        async with world.databases.transaction(tenant) as session:
            held.set_result(await _driver(session))
            await session.execute(text("SELECT pg_sleep(30)"))

    task = asyncio.create_task(work())
    driver = await held
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    if not driver.is_closed():
        assert await _bare_state(driver) == CLEAN
    async with world.databases.transaction(tenant) as session:
        assert await session.scalar(text("SELECT current_user")) == tenant.scope.name


async def test_tenants_taking_turns_on_one_pool_never_meet(world: World) -> None:
    """Interleaved at random on shared connections, with errors between, each sees its own."""
    tenants = (world.acme, world.bravo, world.delta, world.platform)
    at_once = asyncio.Semaphore(32)  # more than there are connections, yet none waits too long

    async def visit(number: int) -> None:
        tenant = tenants[number % len(tenants)]
        async with at_once, world.databases.session(tenant) as session:
            for _ in range(3):
                assert await session.scalar(text("SELECT current_user")) == tenant.scope.name
                if number % 3 == 0:
                    with pytest.raises(DBAPIError):
                        await session.execute(text("SELECT 1 / 0"))
                await session.rollback()

    await asyncio.gather(*(visit(number) for number in range(200)))


async def test_a_savepoint_rolled_back_leaves_the_scope_open(world: World) -> None:
    """What ends is the savepoint; role and path stay the tenant's."""
    async with world.databases.transaction(world.acme) as session:
        assert await _refused(session, "SELECT 1 / 0") == "22012"
        assert await session.scalar(text("SELECT current_user")) == world.acme.scope.name


async def test_a_role_that_was_never_granted_is_refused(world: World) -> None:
    """The shared login cannot become the dedicated tenant, nor the owner or the provisioner."""
    connection = await asyncpg.connect(world.settings.database_url)
    for role in (world.delta.scope.name, "atrium_owner", "atrium_provisioner", "atrium_relay"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"SET ROLE {role}")
    await connection.close()
