"""A request is one transaction; one that was lost through no fault of its own is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, get, post
from litestar.di import NamedDependency, Provide
from litestar.types import Receive, Send
from litestar.types import Scope as AsgiScope
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.servers import Postgres
from core.db import Databases
from core.scope import Database, Scope, Tenant
from core.web import problems, unit
from tests.databases import TestDatabase

TABLE = (
    "CREATE TABLE things (id int PRIMARY KEY, name varchar(20)); INSERT INTO things VALUES (1, 'x')"
)
Alter = Callable[[str], Awaitable[None]]


@pytest.fixture(scope="module")
async def database(postgres: Postgres) -> AsyncIterator[TestDatabase]:
    made = await TestDatabase.create(postgres)
    yield made
    await postgres.drop_database(made.name)


@pytest.fixture
async def tenant(database: TestDatabase) -> Tenant:
    return await database.add_tenant("things", sql=TABLE, plugins=frozenset())


@pytest.fixture
def alter(database: TestDatabase, tenant: Tenant) -> Alter:
    """Runs a statement in the tenant's schema as the administrator."""

    async def run(statement: str) -> None:
        await database.server.execute(
            f"SET search_path = {tenant.scope.name}; {statement}", database.name
        )

    return run


class Served:
    """A small application with the units of work of the real one."""

    def __init__(self, databases: Databases, tenant: Tenant) -> None:
        self.databases, self.tenant = databases, tenant
        self.attempts = 0

        def session(request: Request[Any, Any, Any]) -> AsyncSession:
            self.attempts += 1
            found: AsyncSession = request.scope["state"]["session"]
            return found

        self.app = Litestar(
            [_read, _write],
            dependencies={"session": Provide(session, sync_to_thread=False)},
            exception_handlers=problems.exception_handlers,
            openapi_config=None,
        )

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await unit.serve(self.app, self.databases, self.tenant, scope, receive, send)

    def client(self) -> httpx.AsyncClient:
        """Somebody who asks."""
        transport = httpx.ASGITransport(self)  # type: ignore[arg-type]  # the same protocol
        return httpx.AsyncClient(transport=transport, base_url="http://things.localhost")


@get("/api/things")
async def _read(session: NamedDependency[AsyncSession]) -> dict[str, Any]:
    row = (await session.execute(text("SELECT id, name FROM things"))).one()
    return {"id": row.id, "name": row.name}


@post("/api/things")
async def _write(session: NamedDependency[AsyncSession]) -> dict[str, Any]:
    row = await session.execute(text("UPDATE things SET id = id + 1 RETURNING id, name"))
    return {"name": row.one().name}


@pytest.fixture
async def served(tenant: Tenant) -> AsyncIterator[Served]:
    databases = Databases(pool_size=2)
    yield Served(databases, tenant)
    await databases.dispose()


async def test_a_read_survives_a_column_that_changed(served: Served, alter: Alter) -> None:
    """The statement prepared for the old type fails inside; outside, nobody notices."""
    async with served.client() as client:
        assert (await client.get("/api/things")).json() == {"id": 1, "name": "x"}
        await alter("ALTER TABLE things ALTER COLUMN name TYPE text")
        answer = await client.get("/api/things")
    assert answer.status_code == 200
    assert answer.json() == {"id": 1, "name": "x"}
    assert served.attempts == 3


async def test_a_write_is_not_repeated_but_said_to_be_worth_it(
    served: Served, alter: Alter
) -> None:
    """Whoever wrote is told that it was not saved, and when to come back; then it works."""
    async with served.client() as client:
        await client.post("/api/things")
        await alter("ALTER TABLE things ALTER COLUMN name TYPE text")
        refused = await client.post("/api/things")
        accepted = await client.post("/api/things")
        shown = await client.get("/api/things")
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    assert accepted.status_code == 201
    assert shown.json()["id"] == 3


async def test_a_read_survives_the_end_of_its_backend(
    served: Served, database: TestDatabase
) -> None:
    """A connection of the pool that PostgreSQL has closed is replaced within the request."""
    async with served.client() as client:
        await client.get("/api/things")
        await database.server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            database.name,
        )
        await asyncio.sleep(0.1)
        answer = await client.get("/api/things")
    assert answer.status_code == 200


async def test_a_read_that_fails_for_good_is_tried_once(served: Served, alter: Alter) -> None:
    """What is wrong with the request itself is not repeated."""
    await alter("DROP TABLE things")
    async with served.client() as client:
        answer = await client.get("/api/things")
    assert answer.status_code == 500
    assert served.attempts == 1


async def test_a_read_is_served_twice_at_most(served: Served) -> None:
    """A database that stays away is an outage, said so after the second attempt."""
    dsn = served.tenant.scope.database.dsn
    nowhere = Served(served.databases, _moved(served.tenant, dsn.replace("127.0.0.1", "127.0.0.2")))
    async with nowhere.client() as client:
        answer = await client.get("/api/things")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert nowhere.attempts <= 2


def _moved(tenant: Tenant, dsn: str) -> Tenant:
    return replace(tenant, scope=Scope(Database("away", dsn), tenant.scope.name))
