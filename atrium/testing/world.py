"""A small world: two databases, tenant zero, two pooled tenants and a dedicated one."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from atrium.composition import OF_THE_PLATFORM
from atrium.testing.keys import key_ring, master_key_file
from atrium.testing.servers import PASSWORDS, Postgres, scratch
from core import mail
from core.db import Databases
from core.notifications import centre as notifications
from core.notifications.centre import Centre
from core.plugin import Plugins
from core.scope import Tenant
from core.settings import Settings
from core.signals import Signals
from tenants.bootstrap import bootstrap
from tenants.catalogue import Catalogue
from tenants.databases import platform, register
from tenants.installed import installed
from tenants.lifecycle import Order, Owner
from tenants.migration.lines import Lines, compile_lines
from tenants.migration.migrate import migrate
from tenants.provisioning import Provisioner


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that a test of the whole needs; each test worker has its own.

    ``acme`` and ``bravo`` are pooled in the main database, ``delta`` has a database, a login
    and a pool of its own. All have every plugin; their owners are ``owner@SLUG.example``.
    """

    postgres: Postgres
    settings: Settings
    databases: Databases
    plugins: Plugins
    lines: Lines
    signals: Signals
    directory: Catalogue
    provisioner: Provisioner
    platform: Tenant
    acme: Tenant
    bravo: Tenant
    delta: Tenant
    main_database: str
    own_database: str

    @property
    def tenants(self) -> tuple[Tenant, Tenant, Tenant]:
        """The three businesses."""
        return self.acme, self.bravo, self.delta

    def superuser_dsn(self, tenant: Tenant) -> str:
        """The administrator's address of the database that a tenant lives in."""
        own = tenant.scope.database.name != self.platform.scope.database.name
        return self.postgres.dsn(self.own_database if own else self.main_database)

    async def provision(self, slug: str = "", **chosen: object) -> Tenant:
        """One more pooled tenant, with every plugin unless ``plugins`` says else."""
        return await self.provisioner.provision_now(order(self.plugins, slug, **chosen))


def order(installed: Plugins, slug: str = "", /, **chosen: object) -> Order:
    """What a business might choose; ``chosen`` are fields of ``Order``."""
    slug = slug or f"tenant-{secrets.token_hex(6)}"
    usual: dict[str, object] = {
        "slug": slug,
        "name": slug.capitalize(),
        "zone": "Europe/Lisbon",
        "currency": "EUR",
        "plugins": tuple(sorted(installed.working)),
        "owner": Owner(email=f"owner@{slug}.example", name="Olga Owner"),
    }
    return Order(**(usual | chosen))  # type: ignore[arg-type]  # the fields are Order's own


@asynccontextmanager
async def world_of(postgres: Postgres, redis_url: str) -> AsyncIterator[World]:
    """Make a world, and take it down after use."""
    plugins = installed()
    extensions = {name for plugin in plugins for name in plugin.extensions}
    main, own = [await postgres.create_database(name) for name in ("main", "own")]
    await bootstrap(postgres.dsn(main), PASSWORDS, extensions=extensions)
    await bootstrap(postgres.dsn(own), PASSWORDS, extensions=extensions, serves_pooled=False)
    settings = settings_for(postgres, main, redis_url)
    key_ring()
    mail.install(settings, [part.folder / "templates" for part in (*OF_THE_PLATFORM, *plugins)])
    databases, signals = Databases(pool_size=8), Signals(redis_url)
    lines = compile_lines(plugins)
    await migrate(settings, databases, lines, signals)
    zero = platform(settings)
    async with databases.transaction(zero) as session:
        await register(
            session,
            name="delta",
            dbname=own,
            dedicated=True,
            host=postgres.host,
            port=postgres.port,
        )
    provisioner = Provisioner(settings, databases, plugins, lines, signals)
    directory = Catalogue(settings, databases, lines)
    directory.listen(signals)
    notifications.install(
        Centre(platform=OF_THE_PLATFORM, products=plugins, url_of=directory.url_of, signals=signals)
    )
    async with signals.listening():
        yield World(
            postgres=postgres,
            settings=settings,
            databases=databases,
            plugins=plugins,
            lines=lines,
            signals=signals,
            directory=directory,
            provisioner=provisioner,
            platform=zero,
            acme=await provisioner.provision_now(order(plugins, "acme")),
            bravo=await provisioner.provision_now(
                order(plugins, "bravo", zone="America/New_York", currency="USD")
            ),
            delta=await provisioner.provision_now(
                order(
                    plugins,
                    "delta",
                    zone="Australia/Sydney",
                    currency="AUD",
                    hosting="dedicated",
                    database="delta",
                )
            ),
            main_database=main,
            own_database=own,
        )
    await databases.dispose()
    for name in (main, own):
        await postgres.drop_database(name)


def settings_for(postgres: Postgres, database: str, redis_url: str) -> Settings:
    """Settings of an installation on ``database``, with a fresh master key."""
    folder = scratch()

    def login(user: str, password: str) -> str:
        return postgres.dsn(database, user=user, password=password)

    return Settings(
        database_url=login("atrium_app", PASSWORDS.app),
        provisioner_url=login("atrium_provisioner", PASSWORDS.provisioner),
        relay_url=login("atrium_relay", PASSWORDS.relay),
        redis_url=redis_url,
        development=True,
        public_scheme="http",
        public_port=8000,
        master_key_file=master_key_file(),
        state_dir=folder,
        files_dir=folder / "files",
    )
