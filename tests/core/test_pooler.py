"""What is unsafe behind a pooler is refused at the start, with the remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atrium.asgi import compose
from atrium.testing.servers import Postgres
from atrium.testing.site import lifespan_of
from atrium.testing.world import World
from core.db import Databases
from core.pooler import UnsafePooler, refuse_deaf
from core.scope import Database
from tests.poolers.pgbouncer import pgbouncer


@pytest.fixture
def direct(postgres: Postgres, world: World) -> Database:
    """The main database without anything before it."""
    dsn = postgres.dsn(world.main_database, user="atrium_app", password="app")
    return Database("main", dsn)


async def _judge(postgres: Postgres, direct: Database, mode: str, *, cache: bool) -> str:
    """Why it is refused; empty if it is not."""
    databases = Databases(statement_cache=cache)
    async with pgbouncer(postgres, mode) as pooler:
        try:
            await databases.refuse_unsafe(Database("main", pooler.leads_to(direct.dsn)))
        except UnsafePooler as problem:
            return str(problem)
    return ""


@pytest.mark.parametrize("cache", [True, False])
async def test_postgresql_itself_is_safe(direct: Database, cache: bool) -> None:
    """With and without prepared statements."""
    await Databases(statement_cache=cache).refuse_unsafe(direct)
    await refuse_deaf(direct)


@pytest.mark.parametrize(
    ("mode", "cache", "remedy"),
    [
        ("session", True, ""),
        ("session", False, ""),
        ("transaction", True, "ATRIUM_STATEMENT_CACHE=false"),
        ("transaction", False, ""),
        ("statement", True, "pool_mode = session or transaction"),
        ("statement", False, "pool_mode = session or transaction"),
    ],
)
async def test_a_mode_is_refused_with_its_remedy(
    postgres: Postgres, direct: Database, mode: str, cache: bool, remedy: str
) -> None:
    """Session pooling always works, transaction pooling without statements, the third never."""
    said = await _judge(postgres, direct, mode, cache=cache)
    assert bool(said) == bool(remedy), said
    assert remedy in said


async def test_a_pooler_that_refuses_our_parameters_is_named(
    postgres: Postgres, direct: Database
) -> None:
    """The message says what to let it ignore."""
    async with pgbouncer(postgres, "session", ignored="") as pooler:
        database = Database("main", pooler.leads_to(direct.dsn))
        with pytest.raises(UnsafePooler, match="ignore_startup_parameters = search_path"):
            await Databases().refuse_unsafe(database)


async def test_a_login_without_an_empty_path_is_refused(
    postgres: Postgres, direct: Database
) -> None:
    """A pooler that ignores the search_path we ask for must not give us another one."""
    outsider = f"outsider_{direct.dsn.rpartition('_')[2]}"
    name = direct.dsn.rpartition("/")[2]
    await postgres.execute(
        f"CREATE ROLE {outsider} LOGIN PASSWORD 'x'; GRANT CONNECT ON DATABASE {name} TO {outsider}"
    )
    async with pgbouncer(postgres, "session") as pooler:
        own = postgres.dsn(name, user=outsider, password="x")
        with pytest.raises(UnsafePooler, match="atrium bootstrap"):
            await Databases().refuse_unsafe(Database("main", pooler.leads_to(own)))
    await postgres.execute(f"REVOKE ALL ON DATABASE {name} FROM {outsider}; DROP ROLE {outsider}")


async def test_a_relay_that_would_not_hear_is_refused(postgres: Postgres, direct: Database) -> None:
    """LISTEN needs a backend that stays."""
    async with pgbouncer(postgres, "transaction") as pooler:
        with pytest.raises(UnsafePooler, match="ATRIUM_RELAY_URL"):
            await refuse_deaf(Database("relay", pooler.leads_to(direct.dsn)))
    async with pgbouncer(postgres, "session") as pooler:
        await refuse_deaf(Database("relay", pooler.leads_to(direct.dsn)))


async def test_the_application_does_not_start_behind_an_unsafe_pooler(
    postgres: Postgres, direct: Database, world: World
) -> None:
    """The web process says why instead of serving."""
    async with pgbouncer(postgres, "transaction") as pooler:
        unsafe = replace(
            world.settings, database_url=pooler.leads_to(direct.dsn), statement_cache=True
        )
        with pytest.raises(AssertionError, match="ATRIUM_STATEMENT_CACHE=false"):
            async with lifespan_of(compose(unsafe, world.plugins)):
                pass


async def test_a_database_that_is_away_is_not_judged() -> None:
    """The processes start, and serve as soon as it is there."""
    away = Database("main", "postgresql://atrium_app:app@127.0.0.1:1/away")
    await Databases().refuse_unsafe(away)
    await refuse_deaf(away)
