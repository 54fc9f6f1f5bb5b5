"""A tenant with a fleet, and factories for what the tests need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core import crypto
from core.crypto import KeyRing, MasterKeys
from core.db import Databases
from core.plugin import discover
from core.scope import Tenant
from tenants.bootstrap import bootstrap
from tenants.migration.lines import compile_lines
from tests.databases import PASSWORDS, TestDatabase
from tests.plugins.car_hire.shop import Shop
from tests.servers import Postgres


@pytest.fixture(scope="session")
async def databases() -> AsyncIterator[Databases]:
    made = Databases(pool_size=20)
    yield made
    await made.dispose()


@pytest.fixture(scope="session")
async def tenant(
    postgres: Postgres, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Tenant:
    key: Path = tmp_path_factory.mktemp("keys") / "master.key"
    crypto.create_master_key_file(key)
    crypto.install(KeyRing(MasterKeys.load(key)))
    database = await TestDatabase.create(postgres)
    await bootstrap(database.superuser_dsn, PASSWORDS, extensions=["btree_gist"])
    lines = compile_lines(discover())
    sql = ["SELECT set_config('search_path', current_setting('search_path')||',extensions', true)"]
    for line in lines.of_tenant(["car_hire"]):
        sql += [each for revision in line.revisions for each in revision.statements]
    made = await database.add_tenant("acme", sql=";".join(sql), plugins=frozenset({"car_hire"}))
    async with databases.transaction(made) as session:
        await crypto.create_key(session)
    return made


@pytest.fixture
async def shop(tenant: Tenant, databases: Databases) -> Shop:
    """A class of its own with three cars, for one test."""
    return await Shop.open(databases, tenant)
