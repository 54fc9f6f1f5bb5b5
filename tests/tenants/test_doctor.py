"""`atrium doctor`: each kind of drift is found where it was planted, and what is safe is mended."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from atrium.testing.servers import Postgres
from atrium.testing.world import World
from core.scope import Tenant, scope_name
from tenants.doctor.command import Finding, look_over
from tenants.workshop import Workshop
from tests.tenants.installation import installation


@pytest.fixture
def shop(world: World) -> Workshop:
    return Workshop(
        settings=world.settings,
        databases=world.databases,
        plugins=world.plugins,
        lines=world.lines,
        signals=world.signals,
        provisioner=world.provisioner,
        platform=world.platform,
    )


@pytest.fixture(scope="module")
async def pooled(world: World) -> Tenant:
    """One of these tests' own: each leaves it as it was."""
    return await world.provision()


@pytest.fixture(params=["pooled", "dedicated"])
def tenant(world: World, pooled: Tenant, request: pytest.FixtureRequest) -> Tenant:
    """That one, or the dedicated one."""
    return world.delta if request.param == "dedicated" else pooled


@pytest.fixture
async def administrator(world: World, tenant: Tenant) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(world.superuser_dsn(tenant))
    yield connection
    await connection.close()


async def _look(shop: Workshop, tenant: Tenant, *, repair: bool = False) -> list[Finding]:
    return (await look_over(shop, [tenant.slug], repair=repair))[0]


def _names(tenant: Tenant) -> dict[str, str]:
    login = make_url(tenant.scope.database.dsn).username or ""
    return {"t": tenant.scope.name, "login": login}


MENDED = {
    "a grant is gone": ("REVOKE UPDATE ON {t}.users FROM {t}", "grant table users"),
    "a grant too much": ("GRANT TRUNCATE ON {t}.users TO {t}", "grant table users"),
    "a grant to a stranger": ("GRANT SELECT ON {t}.users TO atrium_relay", "grant table users"),
    "a grant to everybody": ("GRANT SELECT ON {t}.users TO PUBLIC", "grant table users"),
    "a grant that may be passed on": (
        "GRANT SELECT ON {t}.users TO {t} WITH GRANT OPTION",
        "grant table users",
    ),
    "a grant on a column": (
        "GRANT SELECT (id) ON {t}.users TO atrium_relay",
        "grant column users.id",
    ),
    "a grant on the schema": ("GRANT CREATE ON SCHEMA {t} TO {t}", "grant schema"),
    "the schema is closed to its own": ("REVOKE USAGE ON SCHEMA {t} FROM {t}", "grant schema"),
    "a table is the tenant's": ("ALTER TABLE {t}.users OWNER TO {t}", "owner users"),
    "the schema is the tenant's": ("ALTER SCHEMA {t} OWNER TO {t}", "owner"),
    "a default privilege is gone": (
        "ALTER DEFAULT PRIVILEGES FOR ROLE atrium_owner IN SCHEMA {t}"
        " REVOKE INSERT ON TABLES FROM {t}",
        "default r",
    ),
    "a default privilege too much": (
        "ALTER DEFAULT PRIVILEGES FOR ROLE atrium_owner IN SCHEMA {t}"
        " GRANT SELECT ON TABLES TO atrium_relay",
        "default r",
    ),
    "the group forgot it": (
        "REVOKE atrium_tenants FROM {t} GRANTED BY atrium_provisioner",
        "membership atrium_tenants",
    ),
    "the application may not become it": (
        "REVOKE {t} FROM {login} GRANTED BY atrium_provisioner",
        "membership its role",
    ),
    "its role may log in": ("ALTER ROLE {t} LOGIN", "role"),
    "an index is gone": ("DROP INDEX {t}.{index}", "index {index}"),
}

LEFT = {
    "a table is gone": (
        "ALTER TABLE {t}.seeds RENAME TO seeds_gone",
        "ALTER TABLE {t}.seeds_gone RENAME TO seeds",
        "table seeds",
    ),
    "a table too much": ("CREATE TABLE {t}.stray ()", "DROP TABLE {t}.stray", "table stray"),
    "a column is gone": (
        "ALTER TABLE {t}.users RENAME name TO name_gone",
        "ALTER TABLE {t}.users RENAME name_gone TO name",
        "column users.name",
    ),
    "a column of another type": (
        "ALTER TABLE {t}.users ALTER locale TYPE varchar(9)",
        "ALTER TABLE {t}.users ALTER locale TYPE text",
        "column users.locale",
    ),
    "a default is gone": (
        "ALTER TABLE {t}.seeds ALTER done_at DROP DEFAULT",
        "ALTER TABLE {t}.seeds ALTER done_at SET DEFAULT now()",
        "column seeds.done_at",
    ),
    "a constraint too much": (
        "ALTER TABLE {t}.users ADD CONSTRAINT stray CHECK (name <> 'x')",
        "ALTER TABLE {t}.users DROP CONSTRAINT stray",
        "constraint users.stray",
    ),
    "an index too much": (
        "CREATE INDEX stray ON {t}.users (locale)",
        "DROP INDEX {t}.stray",
        "index stray",
    ),
    "a unique index too much": (
        "CREATE UNIQUE INDEX stray ON {t}.users (id, locale)",
        "DROP INDEX {t}.stray",
        "unique index stray",
    ),
    "a function too much": (
        "CREATE FUNCTION {t}.stray() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION {t}.stray",
        "function stray",
    ),
    "somebody else may become it": (
        "GRANT {t} TO atrium_relay",
        "REVOKE {t} FROM atrium_relay",
        "membership its role",
    ),
    "no row says what it has": (
        "UPDATE migrations.applied SET scope = 'x' WHERE scope = '{t}' AND line = 'car_hire'",
        "UPDATE migrations.applied SET scope = '{t}' WHERE scope = 'x'",
        "revision car_hire",
    ),
    "it is ahead": (
        "UPDATE migrations.applied SET revision = 'x' || revision WHERE scope = '{t}'",
        "UPDATE migrations.applied SET revision = substr(revision, 2) WHERE scope = '{t}'",
        "revision core",
    ),
}


async def _index(administrator: asyncpg.Connection, tenant: Tenant) -> str:
    return str(
        await administrator.fetchval(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE nspname = $1 AND NOT indisunique AND c.relname LIKE 'ix%'"
            " ORDER BY c.relname LIMIT 1",
            tenant.scope.name,
        )
    )


async def test_what_was_just_made_is_sound(shop: Workshop, tenant: Tenant) -> None:
    """Provisioned step by step or at once, in either database: as the script makes it."""
    assert [str(each) for each in await _look(shop, tenant)] == []


@pytest.mark.parametrize("planted", MENDED.values(), ids=MENDED)
async def test_what_is_safe_is_found_and_mended(
    shop: Workshop, tenant: Tenant, administrator: asyncpg.Connection, planted: tuple[str, str]
) -> None:
    """Looked at, it is named and nothing is changed; repaired, nothing is left of it."""
    names = _names(tenant) | {"index": await _index(administrator, tenant)}
    await administrator.execute(planted[0].format(**names))
    seen = await _look(shop, tenant)
    told = {f"{each.what.kind} {each.what.subject}".strip() for each in seen}
    assert planted[1].format(**names) in told
    assert {each.left for each in seen} == {"--repair mends it"}
    assert len(await _look(shop, tenant)) == len(seen)
    mended = await _look(shop, tenant, repair=True)
    assert [each.left for each in mended] == [None] * len(seen)
    assert [str(each) for each in await _look(shop, tenant)] == []


@pytest.mark.parametrize("planted", LEFT.values(), ids=LEFT)
async def test_what_is_not_safe_is_found_and_left(
    shop: Workshop,
    tenant: Tenant,
    administrator: asyncpg.Connection,
    planted: tuple[str, str, str],
) -> None:
    """The finding says why it stays, and repairing changes nothing of it."""
    await administrator.execute(planted[0].format(**_names(tenant)))
    try:
        seen = await _look(shop, tenant, repair=True)
        again = await _look(shop, tenant)
    finally:
        await administrator.execute(planted[1].format(**_names(tenant)))
    for found in (seen, again):
        told = {f"{each.what.kind} {each.what.subject}".strip(): each.left for each in found}
        assert told.get(planted[2]), told
    await _look(shop, tenant, repair=True)  # what was renamed back has its grants and owner
    assert [str(each) for each in await _look(shop, tenant)] == []


async def test_an_index_that_was_never_finished_is_made_again(
    shop: Workshop, tenant: Tenant, administrator: asyncpg.Connection
) -> None:
    """CREATE INDEX CONCURRENTLY leaves an invalid one behind when it is killed."""
    name = await _index(administrator, tenant)
    await administrator.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::text::regclass",
        f"{tenant.scope.name}.{name}",
    )
    [found] = await _look(shop, tenant, repair=True)
    assert (found.what.subject, found.left) == (name, None)
    assert await _look(shop, tenant) == []


async def test_what_belongs_to_nobody_is_named(shop: Workshop, world: World) -> None:
    """Schemas, roles and rows without a tenant; an extension that is not there."""
    stray, idle, ghost = (scope_name(uuid4()) for _ in range(3))
    connection = await asyncpg.connect(world.superuser_dsn(world.acme))
    await connection.execute(
        f"CREATE SCHEMA {stray}; CREATE ROLE {idle};"
        f"INSERT INTO migrations.applied VALUES ('{ghost}', 'core', 'core_0001');"
        "ALTER EXTENSION btree_gist SET SCHEMA public"
    )
    try:
        found, looked_at = await look_over(shop)
    finally:
        await connection.execute(
            f"DROP SCHEMA {stray}; DROP ROLE {idle};"
            f"DELETE FROM migrations.applied WHERE scope = '{ghost}';"
            "ALTER EXTENSION btree_gist SET SCHEMA extensions"
        )
        await connection.close()
    told = {(each.what.scope, each.what.kind) for each in found}
    assert {(stray, "schema"), (idle, "role"), (ghost, "revision"), ("", "extension")} <= told
    assert looked_at > 3
    assert all(each.left for each in found)


async def test_a_tenant_behind_is_compared_with_what_it_should_be_there(
    shop: Workshop, world: World
) -> None:
    """Behind is one finding, not a hundred."""
    tenant = await world.provision()
    connection = await asyncpg.connect(world.superuser_dsn(tenant))
    revisions = world.lines.by_name["car_hire"].revisions
    await connection.execute(
        f"DROP SCHEMA {tenant.scope.name} CASCADE;"
        f"DELETE FROM migrations.applied WHERE scope = '{tenant.scope.name}' AND line = 'car_hire'"
    )
    found = await _look(shop, tenant)
    await connection.close()
    assert [(each.what.kind, each.what.found) for each in found] == [("schema", "is missing")]
    assert len(revisions) > 1


async def test_the_command_speaks_to_people_and_programs(
    postgres: Postgres, redis_url: str
) -> None:
    """Its exit code says whether anything is left; `--json` says what."""
    async with installation(postgres, redis_url) as made:
        for command in ("bootstrap", "migrate", "seed"):
            assert (await made.run(command)).code == 0
        # Without names it would find roles that other tests left on this server.
        sound = await made.run("doctor", "--tenants", "acme,harbour")
        assert sound.code == 0, sound.said
        assert "2 scopes looked at, 0 findings" in sound.said
        [row] = await made.ask("SELECT id FROM platform.tenants WHERE slug = 'acme'")
        scope = scope_name(row["id"])
        await made.ask(f"REVOKE UPDATE ON {scope}.users FROM {scope}")
        seen = await made.run("doctor", "--json", "--tenants", "acme")
        assert seen.code == 1
        [finding] = json.loads(seen.said.splitlines()[-1])["findings"]
        assert (finding["tenant"], finding["kind"], finding["mended"]) == ("acme", "grant", False)
        mended = await made.run("doctor", "--repair", "--tenants", "acme")
        assert mended.code == 0
        assert "mended" in mended.said
        assert (await made.run("doctor", "--tenants", "nobody")).code != 0
