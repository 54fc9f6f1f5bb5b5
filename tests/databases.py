"""Bootstrapped databases with bare scopes: roles and empty schemas, no lines of migrations."""

from __future__ import annotations

from dataclasses import dataclass

from atrium.testing.servers import PASSWORDS, Postgres
from core.ids import new_id
from core.scope import Database, Scope, Tenant, scope_name
from tenants.bootstrap import bootstrap

__all__ = ["PASSWORDS", "TestDatabase"]


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A bootstrapped database, and how to reach it as each login."""

    __test__ = False

    server: Postgres
    name: str

    @classmethod
    async def create(cls, server: Postgres) -> TestDatabase:
        """Make and bootstrap one."""
        name = await server.create_database("bare")
        await bootstrap(server.dsn(name), PASSWORDS)
        return cls(server, name)

    async def bootstrap_again(self) -> None:
        """What an upgrade does."""
        await bootstrap(self.superuser_dsn, PASSWORDS)

    @property
    def relay_dsn(self) -> str:
        """The relay's address of it."""
        return self.server.dsn(self.name, user="atrium_relay", password=PASSWORDS.relay)

    @property
    def superuser_dsn(self) -> str:
        """The administrator's address of it."""
        return self.server.dsn(self.name)

    async def add_tenant(
        self, slug: str, *, dedicated: bool = False, sql: str = "", plugins: frozenset[str]
    ) -> Tenant:
        """A tenant with role, schema and, by ``sql`` (run in its schema by the owner), tables."""
        tenant_id = new_id()
        role = scope_name(tenant_id)
        login, password = (
            (f"l_{tenant_id.hex}", "dedicated") if dedicated else ("atrium_app", "app")
        )
        await self.server.execute(
            f"CREATE ROLE {role} NOLOGIN; GRANT atrium_tenants TO {role};"
            + (f"CREATE ROLE {login} LOGIN NOINHERIT PASSWORD '{password}';" if dedicated else "")
            + f'GRANT CONNECT ON DATABASE "{self.name}" TO {login};'
            f"GRANT {role} TO {login};"
            f"CREATE SCHEMA {role} AUTHORIZATION atrium_owner;"
            f"GRANT USAGE ON SCHEMA {role} TO {role};"
            f"ALTER DEFAULT PRIVILEGES FOR ROLE atrium_owner IN SCHEMA {role}"
            f" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};"
            f"BEGIN; SET LOCAL ROLE atrium_owner; SET LOCAL search_path = {role};"
            f"{sql or 'SELECT 1'}; COMMIT",
            self.name,
        )
        dsn = self.server.dsn(self.name, user=login, password=password)
        scope = Scope(Database(self.name if not dedicated else login, dsn), role)
        return Tenant(id=tenant_id, slug=slug, name=slug, scope=scope, plugins=plugins)
