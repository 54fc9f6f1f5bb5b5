"""A connection is used for so long, and in so many schemas; then another takes its place."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from core.connections import Lifetime
from core.db import Databases
from core.scope import Tenant
from tests.core.conftest import CoreScopes

PID = "SELECT pg_backend_pid() AS pid"


@dataclass
class Clock:
    """The time that passes here, and as much more as a test says."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@dataclass
class Pool:
    """One pool of a process with a single connection to each database, asked who answers."""

    databases: Databases
    ask: Callable[[Databases, Tenant], Awaitable[int]]
    clock: Clock = field(default_factory=Clock)

    async def pid(self, tenant: Tenant) -> int:
        return await self.ask(self.databases, tenant)


async def by_session(databases: Databases, tenant: Tenant) -> int:
    async with databases.transaction(tenant) as session:
        pid: int = await session.scalar(text(PID))
        return pid


async def by_read(databases: Databases, tenant: Tenant) -> int:
    row = await databases.fetch_row(tenant, PID, ())
    assert row is not None
    pid: int = row["pid"]
    return pid


async def by_loan(databases: Databases, tenant: Tenant) -> int:
    async with databases.lent(tenant.scope.database, tenant.scope.name) as connection:
        pid: int = await connection.fetchval(PID)
        return pid


class Strict(Lifetime):
    """As short for reads."""

    @property
    def of_reads(self) -> Lifetime:
        return self


@pytest.fixture(params=[by_session, by_read, by_loan])
async def pool(request: pytest.FixtureRequest) -> AsyncIterator[Pool]:
    """All pools follow the same rule."""
    clock = Clock()
    lifetime = Strict(schemas=2, seconds=600, clock=clock)
    databases = Databases(pool_size=1, lifetime=lifetime)
    yield Pool(databases, request.param, clock)
    await databases.dispose()


async def test_a_backend_is_replaced_when_it_has_touched_enough_schemas(
    pool: Pool, scopes: CoreScopes
) -> None:
    """The same schema any number of times counts once."""
    pids = [await pool.pid(scopes.acme) for _ in range(5)]
    assert len(set(pids)) == 1
    assert await pool.pid(scopes.bravo) == pids[0]
    assert await pool.pid(scopes.bravo) != pids[0]


async def test_a_backend_is_replaced_at_its_age(pool: Pool, scopes: CoreScopes) -> None:
    """Not before nine tenths of it; how much of the last tenth differs from one to the next."""
    young = await pool.pid(scopes.acme)
    pool.clock.ahead = 530
    assert await pool.pid(scopes.acme) == young
    pool.clock.ahead = 601
    await pool.pid(scopes.acme)  # given back, it is over
    pool.clock.ahead = 0
    assert await pool.pid(scopes.acme) != young


async def test_a_transaction_outlives_its_connections_time(scopes: CoreScopes) -> None:
    """What has begun ends on the connection it began on, and is committed."""
    clock = Clock()
    databases = Databases(pool_size=1, lifetime=Lifetime(schemas=1, seconds=600, clock=clock))
    async with databases.transaction(scopes.acme) as session:
        first = await session.scalar(text(PID))
        clock.ahead = 10_000
        async with session.begin_nested():
            assert await session.scalar(text(PID)) == first
        assert await session.scalar(text(PID)) == first
    assert await by_session(databases, scopes.acme) != first
    await databases.dispose()


def test_a_connection_of_reads_may_touch_ten_times_as_many_schemas() -> None:
    """It looks two tables up in each, where a page looks twenty up."""
    assert Lifetime(schemas=200).of_reads == Lifetime(schemas=2000)


@pytest.mark.parametrize("life", [{"schemas": 0}, {"seconds": 0}])
def test_a_life_in_which_nothing_can_be_done_is_refused(life: dict[str, int]) -> None:
    """Every request would wait for a connection of its own."""
    with pytest.raises(ValueError, match="must be let touch"):
        Lifetime(**life)
