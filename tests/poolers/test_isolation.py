"""The tests of isolation, once more through a pooler in session and in transaction mode."""

from __future__ import annotations

import asyncio

import pytest

from atrium.testing.world import World
from core.reads import Read
from tests.core import test_reads
from tests.tenants.test_isolation import *  # noqa: F403  # each of its tests, and its fixtures

pytestmark = pytest.mark.long


async def test_hot_reads_go_to_their_own_tenants(world: World) -> None:
    """By the driver's own pool, many at once."""
    await test_reads.test_each_tenant_reads_its_own_rows_over_the_same_connections(world)


async def test_two_hundred_statements_do_not_mix(world: World) -> None:
    """Reads and sessions at once, over as many different statements: each gets its own answer."""
    reads = [test_reads.BY_EMAIL, Read(test_reads.BY_EMAIL._statement.limit(1))]

    async def ask(number: int) -> None:
        tenant = world.tenants[number % 3]
        email = f"owner@{tenant.slug}.example"
        async with world.databases.session(tenant) as session:
            if number % 2:
                await session.connection()
            found = await reads[number % 2].one_or_none(session, email=email)
            assert found is not None
            assert found["email"] == email

    await asyncio.gather(*(ask(number) for number in range(200)))
