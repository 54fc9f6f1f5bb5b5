"""Scopes made in advance: taken once, seen by nobody until then, finished when left half-made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from atrium.testing.world import World, order
from core.clock import now
from core.scope import Scope, Tenant, scope_name
from tenants import lifecycle, warm
from tenants.lifecycle import Ordered
from tenants.migration.fleet import Fleet
from tenants.models import MigrationStatus, TenantRecord, WarmScope
from tenants.roster import Served
from tenants.runs import progress
from tenants.warm import Warmer


def _warmer(world: World, count: int) -> Warmer:
    settings = replace(world.settings, warm_tenants=count)
    return Warmer(settings, world.databases, world.lines)


@pytest.fixture
async def ready(world: World) -> AsyncIterator[set[UUID]]:
    """Three that are ready."""
    await _warmer(world, 3).keep()
    yield await _waiting(world)
    async with world.databases.transaction(world.platform) as session:
        left = (await session.scalars(select(WarmScope.id))).all()
        await session.execute(delete(WarmScope))
    for each in left:
        await world.postgres.execute(
            f"DROP SCHEMA {scope_name(each)} CASCADE; DROP ROLE {scope_name(each)}",
            world.main_database,
        )


async def _waiting(world: World, state: str = "ready") -> set[UUID]:
    async with world.databases.transaction(world.platform) as session:
        return set(await session.scalars(select(WarmScope.id).where(WarmScope.state == state)))


async def _note(world: World) -> Ordered:
    async with world.databases.transaction(world.platform) as session:
        return await lifecycle.note(session, order(world.plugins))


async def test_a_new_tenant_moves_into_one_that_is_ready(world: World, ready: set[UUID]) -> None:
    """What is left is done as ever; its people see which steps were done before they came."""
    ordered = await _note(world)
    assert ordered.tenant_id in ready
    assert await _waiting(world) == ready - {ordered.tenant_id}
    async with world.databases.transaction(world.platform) as session:
        told = await progress(session, ordered.run_id)
    assert {step.name for step in told.steps if step.state == "done"} == {"role", "schema", "key"}
    tenant = await world.provisioner.run(ordered.run_id)
    assert tenant.status == "active"
    async with world.databases.transaction(tenant) as session:
        counted = text("SELECT (SELECT count(*) FROM tenant_keys), (SELECT count(*) FROM users)")
        assert tuple((await session.execute(counted)).one()) == (1, 1)


async def test_those_who_come_at_once_get_different_ones(world: World, ready: set[UUID]) -> None:
    """And whoever finds none ready is made in the ordinary way."""
    noted = await asyncio.gather(*(_note(world) for _ in range(5)))
    taken = {each.tenant_id for each in noted}
    assert len(taken) == 5
    assert ready <= taken
    made = await asyncio.gather(*(world.provisioner.run(each.run_id) for each in noted))
    assert {tenant.status for tenant in made} == {"active"}


async def test_what_is_undone_gives_the_scope_back(world: World, ready: set[UUID]) -> None:
    """A sign-up that fails in the end costs nothing."""
    async with world.databases.transaction(world.platform) as session:
        assert (await lifecycle.note(session, order(world.plugins))).tenant_id in ready
        await session.rollback()
    assert await _waiting(world) == ready


async def test_nobody_sees_it_and_no_tenant_can_read_it(world: World, ready: set[UUID]) -> None:
    """No list, no address, no schedule; and the role is as closed as any tenant's."""
    one = next(iter(ready))
    assert await world.directory.by_id(one) is None
    served = Served(world.settings, world.databases, world.lines)
    assert one not in {each.id for each in await served.active()}
    async with world.databases.transaction(world.platform) as session:
        assert one not in set(await session.scalars(select(TenantRecord.id)))
    with pytest.raises(DBAPIError, match="permission denied"):
        async with world.databases.transaction(world.acme) as session:
            await session.execute(text(f"SELECT * FROM {scope_name(one)}.users"))


async def test_as_many_are_kept_as_are_wanted(world: World, ready: set[UUID]) -> None:
    """Several workers at once make no more; more than are wanted are left alone."""
    assert await _warmer(world, 2).keep() == 0
    made = await asyncio.gather(*(_warmer(world, 4).keep() for _ in range(3)))
    assert sum(made) == 1
    assert len(await _waiting(world)) == 4


async def test_one_that_was_left_half_made_is_finished(world: World, ready: set[UUID]) -> None:
    """Killed in the middle: not taken meanwhile, and made whole by whoever comes later."""
    one, *_ = ready
    async with world.databases.transaction(world.platform) as session:
        await session.execute(
            update(WarmScope)
            .where(WarmScope.id == one)
            .values(state="making", changed_at=now() - warm.LEFT_BEHIND - timedelta(seconds=1))
        )
    assert (await _note(world)).tenant_id != one
    assert await _warmer(world, 0).keep() == 1
    assert one in await _waiting(world)


async def test_one_that_is_behind_is_migrated_like_a_tenant(world: World, ready: set[UUID]) -> None:
    """It is among the targets of a run; chosen tenants are not accompanied by it."""
    async with world.databases.transaction(world.platform) as session:
        everybody = await Fleet.read(session, world.settings, world.lines)
        acme = await Fleet.read(session, world.settings, world.lines, ["acme"])
        status = await session.get_one(MigrationStatus, (next(iter(ready)), "core"))
    assert status.revision == world.lines.by_name["core"].head
    assert ready <= {each.tenant_id for found in everybody.targets.values() for each in found}
    assert [[each.tenant_id for each in found] for found in acme.targets.values()] == [
        [world.acme.id]
    ]


async def test_one_that_waits_has_its_own_key(world: World, ready: set[UUID]) -> None:
    """The key is bound to the id that the tenant will have."""
    connection = await asyncpg.connect(world.superuser_dsn(world.acme))
    for each in ready:
        rows = await connection.fetch(f"SELECT * FROM {scope_name(each)}.tenant_keys")
        assert len(rows) == 1
    await connection.close()
    tenant = Tenant(
        id=(one := next(iter(ready))),
        slug="",
        name="",
        scope=Scope(world.acme.scope.database, scope_name(one)),
    )
    async with world.databases.transaction(tenant) as session:
        assert await session.scalar(text("SELECT count(*) FROM users")) == 0
