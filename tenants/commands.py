"""The parts of the ``atrium`` command that prepare and seed databases."""

from __future__ import annotations

import asyncio

import asyncpg
import click
from sqlalchemy.engine import make_url

from core.crypto import create_master_key_file
from core.settings import Settings
from tenants import seeding
from tenants.bootstrap import Passwords
from tenants.bootstrap import bootstrap as prepare_database
from tenants.installed import installed
from tenants.working import with_workshop


@click.command()
@click.option(
    "--superuser-url",
    envvar="ATRIUM_SUPERUSER_URL",
    required=True,
    help="The database to prepare, as its administrator.",
)
@click.option("--own", is_flag=True, help="The database is for one tenant alone.")
def bootstrap(superuser_url: str, own: bool) -> None:
    """Prepare a database: roles, schemas, extensions, outbox. Can be repeated.

    In development the demo's second database is made and prepared as well.
    """
    settings = Settings.from_environment()
    asyncio.run(_bootstrap(settings, superuser_url, own=own))
    if settings.development:
        create_master_key_file(settings.master_key_file)


async def _bootstrap(settings: Settings, superuser_url: str, *, own: bool) -> None:
    extensions = {name for plugin in installed() for name in plugin.extensions}
    passwords = Passwords(
        provisioner=make_url(settings.provisioner_url).password or "",
        app=make_url(settings.database_url).password or "",
        relay=make_url(settings.relay_url).password or "",
    )
    await prepare_database(superuser_url, passwords, extensions=extensions, serves_pooled=not own)
    if settings.development:
        second = await _demo_database(superuser_url)
        await prepare_database(second, passwords, extensions=extensions, serves_pooled=False)


async def _demo_database(superuser_url: str) -> str:
    name = seeding.own_database(superuser_url)
    connection = await asyncpg.connect(superuser_url)
    try:
        quoted = await connection.fetchval("SELECT quote_ident($1)", name)
        await connection.execute(f"CREATE DATABASE {quoted} TEMPLATE template0")
    except asyncpg.DuplicateDatabaseError:
        pass
    finally:
        await connection.close()
    return make_url(superuser_url).set(database=name).render_as_string(hide_password=False)


@click.command()
def seed() -> None:
    """Make the demo's tenants with believable data, as far as they are missing."""
    with_workshop(seeding.seed)
