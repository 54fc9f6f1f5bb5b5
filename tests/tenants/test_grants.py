"""Every owner, grant, default privilege and membership is one that the layout allows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from atrium.testing.world import World
from core.scope import scope_name
from tests.tenants import grants


@dataclass(frozen=True, slots=True)
class Seen:
    """One of the two databases, seen by its administrator."""

    connection: asyncpg.Connection
    logins: set[str]
    scopes: set[str]
    superuser: str


@pytest.fixture(params=["main", "own"])
async def seen(world: World, request: pytest.FixtureRequest) -> AsyncIterator[Seen]:
    """The main database, and the dedicated one."""
    main = await asyncpg.connect(world.superuser_dsn(world.acme))
    rows = await main.fetch("SELECT id, database FROM platform.tenants")
    made = {row[0] for row in await main.fetch("SELECT nspname FROM pg_namespace")}
    own = await asyncpg.connect(world.superuser_dsn(world.delta))
    if request.param == "main":
        here: set[UUID] = {row["id"] for row in rows if row["database"] is None}
        warm = await main.fetch("SELECT id FROM platform.warm_scopes")
        here |= {row["id"] for row in warm}
        # Some were only ordered, by other tests: they have nothing yet.
        scopes = {"platform", *(set(map(scope_name, here)) & made)}
        yield Seen(main, {"atrium_app", "atrium_relay"}, scopes, world.postgres.user)
    else:
        login = make_url(world.delta.scope.database.dsn).username or ""
        scopes = {world.delta.scope.name}
        yield Seen(own, {"atrium_relay", login}, scopes, world.postgres.user)
    await main.close()
    await own.close()


async def _strange(seen: Seen) -> tuple[set[str], set[str]]:
    """What is there and should not be, and what should be there and is not."""
    found = await grants.found(seen.connection)
    allowed = grants.allowed(seen.superuser, seen.logins, seen.scopes, found)
    return found - allowed, allowed - found


async def test_every_owner_and_grant_is_allowed(seen: Seen) -> None:
    """Schemas, tables, columns, sequences, functions, types, defaults and the database itself."""
    assert await _strange(seen) == (set(), set())


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        (
            "GRANT SELECT ON {scope}.users TO atrium_app",
            "table {scope}.users: atrium_app may SELECT",
        ),
        (
            "GRANT SELECT (id) ON {scope}.users TO PUBLIC",
            "column {scope}.users.id: PUBLIC may SELECT",
        ),
        ("ALTER TABLE {scope}.users OWNER TO {scope}", "table {scope}.users belongs to {scope}"),
        (
            "GRANT USAGE ON SCHEMA {scope} TO atrium_app",
            "schema {scope}.{scope}: atrium_app may USAGE",
        ),
        ("GRANT TRUNCATE ON {scope}.users TO {scope}", "table {scope}.users: {scope} may TRUNCATE"),
        ("CREATE SCHEMA stray", "schema stray.stray belongs to {superuser}"),
        ("CREATE TABLE public.stray (a int)", "table public.stray belongs to {superuser}"),
        ("CREATE TABLE extensions.stray ()", "table extensions.stray belongs to {superuser}"),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE atrium_owner GRANT SELECT ON TABLES TO atrium_app",
            "default for r everywhere.new: atrium_app may SELECT",
        ),
        (
            "CREATE FUNCTION {scope}.stray() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "function {scope}.stray: PUBLIC may EXECUTE",
        ),
    ],
)
async def test_a_stray_grant_is_noticed(seen: Seen, planted: str, told: str) -> None:
    """The check above can fail: each of these is found, and nothing else."""
    names = {"scope": max(seen.scopes), "superuser": seen.superuser}
    transaction = seen.connection.transaction()
    await transaction.start()
    await seen.connection.execute(planted.format(**names))
    strange, _ = await _strange(seen)
    await transaction.rollback()
    assert told.format(**names) in strange


async def test_every_membership_is_allowed(seen: Seen) -> None:
    """A tenant's role is in the group, and may be become by one login alone."""
    found = await grants.memberships(seen.connection)
    [login] = seen.logins - {"atrium_relay"}
    expected = {
        ("atrium_owner", "atrium_provisioner", False),
        ("atrium_tenants", "atrium_provisioner", True),
    }
    for scope in seen.scopes:
        expected |= {("atrium_tenants", scope, False), (scope, login, False)}
    made = {name for name in seen.scopes | {login} if name != "atrium_app"}
    if seen.connection.get_server_version().major >= 16:
        # Since then whoever makes a role may administer it, without being able to become it.
        expected |= {(name, "atrium_provisioner", True) for name in made}
    here = made | {"atrium_owner", "atrium_tenants", "atrium_provisioner", "atrium_app"}
    assert {each for each in found if {each[0], each[1]} <= here} == expected


async def test_roles_have_no_powers_beyond_their_task(seen: Seen) -> None:
    """None is a superuser, none but the logins logs in, none but tenants' roles inherit."""
    logins = seen.logins | {"atrium_app"}
    expected = {
        "atrium_owner": "INHERIT",
        "atrium_tenants": "INHERIT",
        "atrium_provisioner": "CREATEROLE LOGIN",
        **dict.fromkeys(logins, "LOGIN"),
        **dict.fromkeys(seen.scopes, "INHERIT"),
    }
    assert await grants.attributes(seen.connection, set(expected)) == expected
