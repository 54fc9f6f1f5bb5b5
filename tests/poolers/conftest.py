"""The world, reached through PgBouncer in the modes that are safe."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from atrium.testing.servers import Postgres
from atrium.testing.world import World
from core.db import Databases
from core.scope import Database, Tenant
from tests.poolers.pgbouncer import PgBouncer, pgbouncer


@pytest.fixture(scope="session", params=["session", "transaction"])
async def world(
    request: pytest.FixtureRequest, world: World, postgres: Postgres
) -> AsyncIterator[World]:
    """The same tenants, with their databases' addresses changed to the pooler's."""
    async with pgbouncer(postgres, request.param) as pooler:
        settings = replace(
            world.settings,
            database_url=pooler.leads_to(world.settings.database_url),
            statement_cache=request.param == "session",
        )
        databases = Databases(pool_size=8, statement_cache=settings.statement_cache)
        yield replace(
            world,
            settings=settings,
            databases=databases,
            platform=_through(pooler, world.platform),
            acme=_through(pooler, world.acme),
            bravo=_through(pooler, world.bravo),
            delta=_through(pooler, world.delta),
        )
        await databases.dispose()


def _through(pooler: PgBouncer, tenant: Tenant) -> Tenant:
    database = tenant.scope.database
    moved = Database(database.name, pooler.leads_to(database.dsn))
    return replace(tenant, scope=replace(tenant.scope, database=moved))
