"""Which database a scope lies in, and how each of our logins reaches it.

The catalogue knows where a database is; who we are there is known by the settings, except for
a dedicated database, whose tenant has a login of its own.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from core.crypto import open_platform, seal_platform
from core.ids import new_id
from core.scope import PLATFORM_SCHEMA, TENANT_ZERO, Database, Scope, Tenant
from core.settings import Settings
from tenants.models import MAIN_DATABASE, DatabaseRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A database that holds scopes, and the addresses of our three logins in it."""

    name: str
    application: Database
    provisioner_url: str = field(repr=False)
    relay_url: str = field(repr=False)
    login: str | None = None
    """The role of the one tenant here; None where tenants share the application's login."""
    password: str | None = field(default=None, repr=False)

    @property
    def provisioner(self) -> Database:
        """The same database, for the login that makes and alters scopes."""
        return Database(self.name, self.provisioner_url)

    @classmethod
    def main(cls, settings: Settings) -> Self:
        """The database that the settings name."""
        return cls(
            name=MAIN_DATABASE,
            application=Database(MAIN_DATABASE, settings.database_url),
            provisioner_url=settings.provisioner_url,
            relay_url=settings.relay_url,
        )

    @classmethod
    def of(cls, settings: Settings, record: DatabaseRecord | None) -> Self:
        """The database that ``record`` describes; without one, the main database."""
        if record is None:
            return cls.main(settings)
        password = None
        if record.password is not None:
            password = open_platform(record.password, *_seal_place(record.name))
        return cls(
            name=record.name,
            application=Database(
                record.name, _moved(settings.database_url, record, record.login, password)
            ),
            provisioner_url=_moved(settings.provisioner_url, record),
            relay_url=_moved(settings.relay_url, record),
            login=record.login,
            password=password,
        )


def platform(settings: Settings) -> Tenant:
    """Tenant zero: the platform itself, in the main database."""
    return Tenant(
        id=TENANT_ZERO,
        slug="",
        name="Atrium",
        scope=Scope(Database(MAIN_DATABASE, settings.database_url), PLATFORM_SCHEMA),
    )


async def register(
    session: AsyncSession,
    *,
    name: str,
    dbname: str,
    dedicated: bool,
    host: str | None = None,
    port: int | None = None,
) -> None:
    """Enter a bootstrapped database into the catalogue, unless ``name`` is there already.

    Without ``host`` and ``port`` it is on the main database's server. A ``dedicated`` one gets
    a login of its own, which provisioning makes with its tenant.
    """
    if await session.get(DatabaseRecord, name) is not None:
        return
    record = DatabaseRecord(name=name, host=host, port=port, dbname=dbname)
    if dedicated:
        record.login = f"l_{new_id().hex}"
        record.password = seal_platform(secrets.token_urlsafe(32), *_seal_place(name))
    session.add(record)
    await session.flush()


async def places(session: AsyncSession, settings: Settings) -> list[Place]:
    """Every database that holds scopes, the main one first. ``session`` is tenant zero's."""
    records = await session.scalars(select(DatabaseRecord).order_by(DatabaseRecord.name))
    return [Place.main(settings), *(Place.of(settings, record) for record in records)]


def _seal_place(name: str) -> tuple[str, str, str]:
    return ("databases", name, "password")


def _moved(
    url: str, record: DatabaseRecord, login: str | None = None, password: str | None = None
) -> str:
    moved = make_url(url).set(database=record.dbname)
    if record.host is not None:
        moved = moved.set(host=record.host, port=record.port)
    if login is not None:
        moved = moved.set(username=login, password=password)
    return moved.render_as_string(hide_password=False)
