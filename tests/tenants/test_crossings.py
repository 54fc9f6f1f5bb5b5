"""Operations of fifty tenants interleaved at random on few connections: none meets another's row.

Every row bears the mark of its tenant. An operation is a statement whose answer is looked at: who
am I, whose row is this. Between them transactions fail, are cut off in the middle of a statement
or run out of time, savepoints are undone, backends are ended and connections replaced.
The whole proof takes as many processes as there are cores, on one set of tenants.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.servers import Postgres
from core.connections import Lifetime
from core.db import Databases, is_away, lost_its_transaction
from core.scope import Tenant
from tests.databases import TestDatabase

POOLED = 48
DEDICATED = 2
VISITORS = 48
ROWS = 20
MILLION = 1_000_000
TELL_EVERY = 50_000
TABLES = f"""
CREATE TABLE marks (
  id bigint GENERATED ALWAYS AS IDENTITY, n integer NOT NULL, owner text NOT NULL
);
INSERT INTO marks (n, owner) SELECT n, current_schema() FROM generate_series(1, {ROWS}) n;
CREATE INDEX ON marks (n)
"""
_READ = "SELECT owner, current_user::text AS who FROM marks WHERE n = {n} ORDER BY id DESC LIMIT 1"
READ = text(_READ.format(n=":n"))
READ_BY_DRIVER = _READ.format(n="$1")
WRITE = text("INSERT INTO marks (n, owner) VALUES (:n, current_schema()) RETURNING owner")
SLOW = text("SELECT owner, pg_sleep(0.02) FROM marks LIMIT 1")


class Crossed(AssertionError):
    """Somebody met another's row."""


@dataclass(frozen=True)
class Place:
    """The tenants, and what they stand on."""

    shared: TestDatabase
    tenants: list[Tenant]


@dataclass
class Ground:
    """What one process does to the tenants, and what it saw."""

    databases: Databases
    shared: TestDatabase
    tenants: list[Tenant]
    left: int
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)

    def saw(self, tenant: Tenant, *marks: str) -> None:
        """One operation was answered: by nobody but the tenant."""
        self.left -= 1
        if {tenant.scope.name} != set(marks):
            raise Crossed(f"{tenant.scope.name} saw {marks}")
        if self.left % TELL_EVERY == 0:
            print(f"{self.left} left, none has crossed")  # noqa: T201  # it takes minutes


@pytest.fixture(scope="module")
async def place(postgres: Postgres) -> AsyncIterator[Place]:
    """Fifty tenants, each with rows that bear its mark."""
    shared = await TestDatabase.create(postgres)
    tenants = [
        await shared.add_tenant(
            f"t{number}", sql=TABLES, dedicated=number >= POOLED, plugins=frozenset()
        )
        for number in range(POOLED + DEDICATED)
    ]
    yield Place(shared, tenants)
    await postgres.drop_database(shared.name)


async def look(ground: Ground, tenant: Tenant, session: AsyncSession) -> None:
    row = (await session.execute(READ, {"n": ground.chance.randint(1, ROWS)})).one()
    ground.saw(tenant, row.owner, row.who)


async def glance(ground: Ground, tenant: Tenant, session: AsyncSession) -> None:
    """As ``look`` in the same transaction, without what an ORM does."""
    connection = await session.connection()
    n = ground.chance.randint(1, ROWS)
    row = (await connection.exec_driver_sql(READ_BY_DRIVER, (n,))).one()
    ground.saw(tenant, row.owner, row.who)


async def write(ground: Ground, tenant: Tenant, session: AsyncSession) -> None:
    owner = await session.scalar(WRITE, {"n": ground.chance.randint(1, ROWS)})
    ground.saw(tenant, str(owner))


async def stumble(ground: Ground, tenant: Tenant, session: AsyncSession) -> None:
    """A statement fails in a savepoint; the transaction goes on in its own scope."""
    with suppress(DBAPIError):
        async with session.begin_nested():
            await write(ground, tenant, session)
            await session.execute(text("SELECT 1 / 0"))
            raise AssertionError("it cannot be divided")
    await look(ground, tenant, session)


async def transact(ground: Ground, tenant: Tenant) -> None:
    """Some operations, then the end: mostly well, at times with an error."""
    async with ground.databases.transaction(tenant) as session:
        for _ in range(ground.chance.randint(1, 12)):
            act = ground.chance.choices((look, glance, write, stumble), (10, 10, 2, 1))[0]
            await act(ground, tenant, session)
        if ground.chance.random() < 0.05:
            raise LookupError("changed its mind")


async def read_hot(ground: Ground, tenant: Tenant) -> None:
    for _ in range(ground.chance.randint(1, 4)):
        n = ground.chance.randint(1, ROWS)
        row = await ground.databases.fetch_row(tenant, READ_BY_DRIVER, (n,))
        assert row is not None
        ground.saw(tenant, row["owner"], row["who"])


async def run_out_of_time(ground: Ground, tenant: Tenant) -> None:
    """Cut off anywhere: while connecting, in a statement, between two, while committing."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ground.chance.random() * 0.02):
            async with ground.databases.transaction(tenant) as session:
                await write(ground, tenant, session)
                await session.execute(SLOW)


async def be_cancelled(ground: Ground, tenant: Tenant) -> None:
    """The browser has gone: hot reads and transactions alike."""
    act = ground.chance.choice((transact, read_hot))
    task = asyncio.create_task(act(ground, tenant))
    await asyncio.sleep(ground.chance.random() * 0.01)
    task.cancel()
    with suppress(asyncio.CancelledError, LookupError):
        await task


async def lose_the_backend(ground: Ground, tenant: Tenant) -> None:
    """PostgreSQL ends it in the middle of a transaction."""
    async with ground.databases.transaction(tenant) as session:
        await write(ground, tenant, session)
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
        await ground.shared.server.execute(f"SELECT pg_terminate_backend({pid})")
        await look(ground, tenant, session)


Visit = Callable[[Ground, Tenant], Awaitable[None]]
VISITS: dict[Visit, float] = {
    transact: 60,
    read_hot: 30,
    run_out_of_time: 2,
    be_cancelled: 2,
    lose_the_backend: 0.01,
}


async def visitor(ground: Ground) -> None:
    """Goes from tenant to tenant, and tries again what was lost through no fault of its own."""
    visits, weights = list(VISITS), list(VISITS.values())
    while ground.left > 0:
        visit = ground.chance.choices(visits, weights)[0]
        tenant = ground.chance.choice(ground.tenants)
        ground.done[visit.__name__] += 1
        try:
            await visit(ground, tenant)
        except LookupError:
            ground.done["undone"] += 1
        except Exception as problem:
            if not (is_away(problem) or lost_its_transaction(problem)):
                raise
            ground.done["lost"] += 1


async def interleave(place: Place, operations: int, seed: int) -> Ground:
    """So many operations in this process, on few connections, each replaced after 30 schemas.

    Raises:
        ExceptionGroup: of a ``Crossed``, at the first of them.
    """
    databases = Databases(pool_size=8, lifetime=Lifetime(schemas=30))
    ground = Ground(databases, place.shared, place.tenants, operations, random.Random(seed))
    async with asyncio.TaskGroup() as group:
        for _ in range(VISITORS):
            group.create_task(visitor(ground))
    await databases.dispose()
    return ground


def interleaved(place: Place, operations: int, seed: int) -> tuple[int, Counter[str]]:
    """``interleave`` in a process of its own: how many were answered, in which visits."""
    ground = asyncio.run(interleave(place, operations, seed))
    return operations - ground.left, ground.done


async def every_row_is_where_it_belongs(place: Place) -> None:
    """Whatever was written, in every schema: it bears the right mark."""
    strays = " UNION ALL ".join(
        f"SELECT count(*) AS strays FROM {each.scope.name}.marks WHERE owner <> '{each.scope.name}'"
        for each in place.tenants
    )
    await place.shared.server.execute(
        f"DO $$ BEGIN ASSERT (SELECT sum(strays) FROM ({strays}) s) = 0; END $$",
        place.shared.name,
    )


def everything_was_tried(done: Counter[str]) -> bool:
    """Whether each kind of visit but the rarest has taken place."""
    return all(done[visit.__name__] for visit, weight in VISITS.items() if weight > 0.1)


async def test_five_thousand_interleaved_operations_never_cross(place: Place) -> None:
    """At every run of the tests."""
    ground = await interleave(place, 5_000, seed=50)
    assert ground.left <= 0
    assert everything_was_tried(ground.done)
    await every_row_is_where_it_belongs(place)


@pytest.mark.long
async def test_a_million_interleaved_operations_never_cross(place: Place) -> None:
    """The whole proof, in as many processes as there are cores."""
    processes = max(2, os.cpu_count() or 1)
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        shares = await asyncio.gather(
            *(
                loop.run_in_executor(pool, interleaved, place, MILLION // processes, seed)
                for seed in range(processes)
            )
        )
    answered = sum(share[0] for share in shares)
    done = sum((share[1] for share in shares), Counter[str]())
    print(answered, dict(done))  # noqa: T201  # the figures of docs/benchmarks.md
    assert answered >= MILLION // processes * processes
    assert everything_was_tried(done)
    await every_row_is_where_it_belongs(place)
