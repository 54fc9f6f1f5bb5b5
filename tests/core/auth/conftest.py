"""An authority of the test's own, and people to try it on."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest
from redis.asyncio import Redis

from core import i18n, mail
from core.auth.authority import Authority
from core.auth.identity import Identity
from core.auth.passwords import Passwords
from core.auth.services import SignedIn, create_person, enter
from core.part import core
from core.permissions import Role
from core.plugin import Plugins
from core.scope import Tenant
from core.settings import Settings
from tests.core.auth.app import HTTP, Neighbourhood
from tests.core.conftest import CoreScopes

PASSWORD = "correct horse 42"

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a tenant, signed in once already."""

    id: UUID
    email: str
    tenant: Tenant
    signed_in: SignedIn

    @property
    def identity(self) -> Identity:
        """Who they are."""
        return self.signed_in.identity


MakePerson = Callable[..., Awaitable[Person]]


@pytest.fixture
async def authority(redis_url: str) -> AsyncIterator[Authority]:
    """A process's authority, with Redis and without signals, its throttle at zero."""
    settings = Settings(database_url="", public_scheme="http")
    async with Redis.from_url(redis_url) as redis:
        await redis.flushdb()
        made = Authority.of(settings, Plugins({}), redis=redis)
        yield made
        made.passwords.close()


@pytest.fixture(scope="session")
async def password_hash() -> str:
    """The hash of ``PASSWORD``, made once: each takes a while."""
    passwords = Passwords()
    hashed = await passwords.hash(PASSWORD)
    passwords.close()
    return hashed


@pytest.fixture
def make_person(scopes: CoreScopes, authority: Authority, password_hash: str) -> MakePerson:
    """Add somebody to a tenant (``acme`` if none is given) and sign them in."""

    async def make(role: Role = Role.MEMBER, tenant: Tenant | None = None) -> Person:
        tenant = tenant or scopes.acme
        email = f"person{next(_numbers)}@{role}.example"
        async with scopes.databases.transaction(tenant) as session:
            made = await create_person(
                session, email=email, name="Ana Reis", role=role, password_hash=password_hash
            )
            return Person(made, email, tenant, await enter(session, authority, made, "test.in"))

    return make


@pytest.fixture
def town(
    scopes: CoreScopes, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> Neighbourhood:
    """Three tenants, each at its own host, with a post office that catches letters."""
    i18n.load(core.folder / "locale")
    monkeypatch.setattr("core.mail.office._installed", [])  # the office before is open afterwards
    mail.install(HTTP, [])
    return Neighbourhood(scopes, authority, HTTP)


@pytest.fixture
async def browser(town: Neighbourhood) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at acme's host."""
    async with town.browser() as client:
        yield client
