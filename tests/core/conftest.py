"""Scopes with core's tables and nothing else: two in one database, one in its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from atrium.testing import keys
from atrium.testing.servers import Postgres
from core import crypto
from core.crypto import KeyRing
from core.db import Databases
from core.scope import Tenant
from tenants.migration.lines import compile_lines
from tests.core import secret_notes
from tests.databases import TestDatabase


@dataclass(frozen=True, slots=True)
class CoreScopes:
    """``acme`` and ``bravo`` share a database and a login; ``delta`` has its own of both."""

    databases: Databases
    acme: Tenant
    bravo: Tenant
    delta: Tenant
    shared: TestDatabase

    @property
    def tenants(self) -> tuple[Tenant, ...]:
        """All of them."""
        return self.acme, self.bravo, self.delta


@pytest.fixture(scope="session")
def key_ring() -> KeyRing:
    """The key ring of this test process."""
    return keys.key_ring()


@pytest.fixture(scope="session")
async def scopes(postgres: Postgres, key_ring: KeyRing) -> AsyncIterator[CoreScopes]:
    """Scopes that tests share: each test makes people and rows of its own in them."""
    line = compile_lines(()).by_name["core"]
    statements = [statement for each in line.revisions for statement in each.statements]
    sql = ";".join([*statements, secret_notes.TABLE])
    shared, own = await TestDatabase.create(postgres), await TestDatabase.create(postgres)
    nothing: frozenset[str] = frozenset()
    databases = Databases(pool_size=8)
    made = CoreScopes(
        databases,
        await shared.add_tenant("acme", sql=sql, plugins=nothing),
        await shared.add_tenant("bravo", sql=sql, plugins=nothing),
        await own.add_tenant("delta", sql=sql, plugins=nothing, dedicated=True),
        shared,
    )
    for tenant in made.tenants:
        async with databases.transaction(tenant) as session:
            await crypto.create_key(session)
    yield made
    await databases.dispose()
    for database in (shared, own):
        await postgres.drop_database(database.name)
