"""The outbox's functions, asked as a tenant, as the relay and as a stranger."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from atrium.testing.servers import Postgres
from core.ids import new_id
from core.scope import Tenant
from tests.databases import TestDatabase

LEASE = timedelta(seconds=60)


@pytest.fixture(scope="module")
async def database(postgres: Postgres) -> AsyncIterator[TestDatabase]:
    made = await TestDatabase.create(postgres)
    yield made
    await postgres.drop_database(made.name)


@pytest.fixture(scope="module")
async def anna(database: TestDatabase) -> Tenant:
    return await database.add_tenant("anna", plugins=frozenset())


@pytest.fixture(scope="module", params=[False, True], ids=["pooled", "dedicated"])
async def bert(database: TestDatabase, request: pytest.FixtureRequest) -> Tenant:
    return await database.add_tenant("bert", dedicated=request.param, plugins=frozenset())


@asynccontextmanager
async def acting(tenant: Tenant) -> AsyncIterator[asyncpg.Connection]:
    """One transaction of the tenant, on a connection of its own."""
    connection = await asyncpg.connect(tenant.scope.database.dsn)
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {tenant.scope.name}")
            yield connection
    finally:
        await connection.close()


async def put(
    connection: asyncpg.Connection, *, key: str | None = None, due_at: datetime | None = None
) -> UUID:
    message = new_id()
    accepted = await connection.fetchval(
        "SELECT outbox.put($1, 'shop.sell', $2, '', $3, $4)",
        message,
        json.dumps({"to": "a person"}),
        key,
        due_at,
    )
    assert accepted is True
    return message


async def take(connection: asyncpg.Connection, message: UUID) -> Any:
    return await connection.fetchrow("SELECT * FROM outbox.take($1, $2, 8)", message, LEASE)


@pytest.fixture
async def row(database: TestDatabase) -> AsyncIterator[Callable[[UUID], Any]]:
    administrator = await asyncpg.connect(database.superuser_dsn)

    async def read(message: UUID) -> Any:
        return await administrator.fetchrow("SELECT * FROM outbox.messages WHERE id = $1", message)

    yield read
    await administrator.close()


async def test_a_message_bears_the_tenant_of_the_role_that_put_it(
    bert: Tenant, row: Callable[[UUID], Any]
) -> None:
    """The tenant comes from the role; there is no argument to lie in."""
    async with acting(bert) as connection:
        message = await put(connection)
    assert (await row(message))["tenant"] == bert.id


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM outbox.messages",
        "UPDATE outbox.messages SET state = 'done'",
        "DELETE FROM outbox.messages",
        "INSERT INTO outbox.messages (id) VALUES ('00000000-0000-0000-0000-000000000001')",
        "SELECT outbox.caller()",
    ],
)
async def test_a_tenant_may_not_touch_the_table(anna: Tenant, statement: str) -> None:
    """Everything but the four functions is refused to a tenant's role."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with acting(anna) as connection:
            await connection.execute(statement)


async def test_outside_a_scope_nothing_is_accepted(anna: Tenant) -> None:
    """The application's login, without a tenant's role, may not put messages."""
    connection = await asyncpg.connect(anna.scope.database.dsn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await put(connection)
    await connection.close()


async def test_a_role_that_is_no_tenant_is_refused(database: TestDatabase) -> None:
    """Even the owner, who may execute the function, stands for no tenant."""
    connection = await asyncpg.connect(database.superuser_dsn)
    await connection.execute("SET ROLE atrium_owner")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="no tenant"):
        await put(connection)
    await connection.close()


async def test_the_relay_reads_no_arguments(database: TestDatabase) -> None:
    """What is in a message is the tenant's: the relay sees where it goes, not what it says."""
    connection = await asyncpg.connect(database.relay_dsn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("SELECT args FROM outbox.messages")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("SELECT outbox.put(NULL, '', '{}', '', '', NULL)")
    await connection.close()


async def test_another_tenants_message_can_be_neither_taken_nor_ended(
    anna: Tenant, bert: Tenant, row: Callable[[UUID], Any]
) -> None:
    """A tenant that learns the id of another's message can do nothing with it."""
    async with acting(anna) as connection:
        message = await put(connection)
    async with acting(bert) as connection:
        assert await take(connection, message) is None
        assert not await connection.fetchval("SELECT outbox.finish($1, 0)", message)
        assert not await connection.fetchval("SELECT outbox.fail($1, 1, 'x', NULL)", message)
    assert (await row(message))["state"] == "pending"


async def test_a_finished_message_is_not_taken_again_and_forgets_its_arguments(
    anna: Tenant, row: Callable[[UUID], Any]
) -> None:
    """Done is done however often the message arrives, and personal data does not linger."""
    async with acting(anna) as connection:
        message = await put(connection)
    async with acting(anna) as connection:
        taken = await take(connection, message)
        assert (taken["actor"], json.loads(taken["args"])) == ("shop.sell", {"to": "a person"})
        assert await connection.fetchval("SELECT outbox.finish($1, $2)", message, taken["attempt"])
    async with acting(anna) as connection:
        assert await take(connection, message) is None
    found = await row(message)
    assert (found["state"], found["args"]) == ("done", "{}")


async def test_an_attempt_that_is_undone_leaves_the_message_to_the_next(anna: Tenant) -> None:
    """A worker that dies inside its transaction has not taken anything."""
    async with acting(anna) as connection:
        message = await put(connection)
    with suppress(ConnectionAbortedError):
        async with acting(anna) as connection:
            assert await take(connection, message)
            raise ConnectionAbortedError
    async with acting(anna) as connection:
        assert (await take(connection, message))["attempt"] == 1


async def test_two_workers_never_hold_one_message(anna: Tenant) -> None:
    """While one transaction holds it, another goes away empty-handed, at once."""
    async with acting(anna) as connection:
        message = await put(connection)
    async with acting(anna) as first, acting(anna) as second:
        assert await take(first, message)
        assert await take(second, message) is None


async def test_after_a_commit_midway_the_lease_keeps_others_off(anna: Tenant) -> None:
    """The second half of a long job runs undisturbed, without a lock."""
    async with acting(anna) as connection:
        message = await put(connection)
    async with acting(anna) as connection:
        assert await take(connection, message)
    async with acting(anna) as other:
        assert await take(other, message) is None
    async with acting(anna) as connection:
        assert await connection.fetchval("SELECT outbox.finish($1, 1)", message)


async def test_who_lost_the_lease_cannot_finish(anna: Tenant, database: TestDatabase) -> None:
    """A worker that was believed dead is told so when it comes back, and must undo its work."""
    async with acting(anna) as connection:
        message = await put(connection)
    async with acting(anna) as slow:
        await take(slow, message)
    await database.server.execute(
        f"UPDATE outbox.messages SET leased_until = now() WHERE id = '{message}'", database.name
    )
    async with acting(anna) as quick:
        assert (await take(quick, message))["attempt"] == 2
    async with acting(anna) as slow:
        assert not await slow.fetchval("SELECT outbox.finish($1, 1)", message)


async def test_a_key_makes_it_once(anna: Tenant, bert: Tenant) -> None:
    """A second request with the same key is refused, of another tenant's it says nothing."""
    key = f"order-{new_id()}"
    async with acting(anna) as connection:
        await put(connection, key=key)
    async with acting(anna) as connection:
        again = await connection.fetchval(
            "SELECT outbox.put($1, 'shop.sell', '{}', '', $2, NULL)", new_id(), key
        )
        assert again is False
    async with acting(bert) as connection:
        await put(connection, key=key)


async def test_a_message_is_not_taken_before_it_is_due(anna: Tenant) -> None:
    """A doorbell that rings early is not answered."""
    async with acting(anna) as connection:
        later = await put(connection, due_at=datetime.now(UTC) + timedelta(hours=1))
        assert await take(connection, later) is None


async def test_failures_are_counted_and_the_last_is_dead(
    anna: Tenant, row: Callable[[UUID], Any]
) -> None:
    """A failed attempt is followed by the next one; without a retry it is dead."""
    async with acting(anna) as connection:
        message = await put(connection)
        assert (await take(connection, message))["attempt"] == 1
        await connection.fetchval(
            "SELECT outbox.fail($1, 1, 'Broken', $2)", message, timedelta(seconds=0)
        )
        assert (await take(connection, message))["attempt"] == 2
        await connection.fetchval("SELECT outbox.fail($1, 2, 'Broken', NULL)", message)
    found = await row(message)
    assert (found["state"], found["attempt"], found["error"]) == ("dead", 2, "Broken")


async def test_attempts_that_nobody_ended_are_counted_and_the_last_is_dead(
    anna: Tenant, row: Callable[[UUID], Any]
) -> None:
    """A message whose worker died after each taking is not taken once more than it may be."""
    async with acting(anna) as connection:
        message = await put(connection)
    now, most = timedelta(0), 2
    for attempt, worn_out in ((1, False), (2, False), (2, True)):
        async with acting(anna) as connection:
            taken = await connection.fetchrow(
                "SELECT * FROM outbox.take($1, $2, $3)", message, now, most
            )
        assert (taken["attempt"], taken["worn_out"]) == (attempt, worn_out)
    found = await row(message)
    assert (found["state"], found["attempt"]) == ("dead", 2)
    assert found["error"] == "WorkerDied: nothing was heard of attempt 2 of 2"


async def test_running_the_script_again_changes_nothing(
    database: TestDatabase, anna: Tenant
) -> None:
    """An upgrade repeats the script on a database with messages in it."""
    async with acting(anna) as connection:
        message = await put(connection)
    await database.bootstrap_again()
    async with acting(anna) as connection:
        assert await take(connection, message)
