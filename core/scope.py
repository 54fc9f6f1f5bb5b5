"""For whom am I acting? The current tenant, failing closed when there is none.

A *scope* is a PostgreSQL database, schema and role in which a transaction runs. Every tenant
is one, and so is the platform itself: tenant zero. Scopes carry only what opening one needs;
``Tenant`` adds what core must know of whoever is served. Who the tenants are is known by the
``Directory`` that the composition root supplies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

TENANT_ZERO: Final = UUID(int=0)
PLATFORM_SCHEMA: Final = "platform"

_NAME: Final = re.compile(r"platform|t_[0-9a-f]{32}")


class NoScope(RuntimeError):
    """Code that needs a tenant ran outside every scope: always a programming error."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database that holds scopes; ``dsn`` logs in as its application role."""

    name: str
    dsn: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """The schema and role of a transaction; both bear one name, checked here once for all."""

    database: Database
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not the name of a scope")


def scope_name(tenant_id: UUID) -> str:
    """The schema and role of a tenant: ``t_`` and its id in hexadecimal, or ``platform``."""
    return PLATFORM_SCHEMA if tenant_id == TENANT_ZERO else f"t_{tenant_id.hex}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """How a tenant's pages look: a colour ``#rrggbb`` and the path of its logo."""

    color: str = "#206bc4"
    logo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """Customers have to wait, until ``until`` (aware) if that is planned; staff may enter."""

    message: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """An address of a tenant's own, which it has proved, for its letters to come from.

    ``key`` signs for its domain under ``selector``; it is sealed. While ``fallen_back``, its
    records are wrong: letters leave from our address, and answers go to this one.
    """

    address: str
    selector: str
    key: bytes = field(repr=False)
    name: str | None = None
    reply_to: str | None = None
    fallen_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """So much of something instead of what is declared (None: any), until ``until`` (aware)."""

    allowed: int | None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagWords:
    """What was said of a flag for a tenant; None: nothing.

    ``override`` is the operator's word, until ``until`` (aware); ``choice`` the owner's;
    ``percent`` how many of all tenants have it.
    """

    override: bool | None = None
    until: datetime | None = None
    choice: bool | None = None
    percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Whoever is served: a business, or the platform itself as tenant zero.

    ``host`` is the name of its own that it prefers to its subdomain, if it has chosen one.
    ``zone`` is an IANA time zone, ``currency`` an ISO 4217 code, ``locale`` such as ``pt``;
    ``status`` is ``active`` when it may be served, ``updating`` while its tables are not those
    that this code works with; ``plugins`` are those enabled.
    """

    id: UUID
    slug: str
    name: str
    scope: Scope
    host: str | None = None
    status: str = "active"
    zone: str = "UTC"
    currency: str = "EUR"
    locale: str = "en"
    plugins: frozenset[str] = frozenset()
    brand: Brand = Brand()
    maintenance: Maintenance | None = None
    sender: Sender | None = None
    muted: bool = False
    """Letters are kept and not sent: for copies, whose customers are somebody else's."""
    limits: Mapping[str, Granted] = field(default_factory=dict, hash=False)
    """What the operator granted of a ``core.quotas.Limit``, by its name."""
    flags: Mapping[str, FlagWords] = field(default_factory=dict, hash=False)
    """What was said of a ``core.flags.Flag``, by its key."""

    @property
    def is_platform(self) -> bool:
        """Whether this is the platform itself."""
        return self.id == TENANT_ZERO


class Directory(Protocol):
    """Who the tenants are, as core sees it; cached in process, invalidated on change."""

    async def by_host(self, host: str) -> Tenant | None:
        """The tenant served at a normalised host name without port, or None."""

    async def formerly(self, host: str) -> Tenant | None:
        """The tenant that was served at ``host`` and has moved, or None."""

    async def by_id(self, tenant_id: UUID) -> Tenant | None:
        """The tenant with this id (tenant zero included), or None."""

    def url_of(self, tenant: Tenant, path: str = "/") -> str:
        """The absolute address of ``path`` at the tenant's own host."""


_current: ContextVar[Tenant] = ContextVar("tenant")


def current() -> Tenant:
    """The tenant being served.

    Raises:
        NoScope: outside every scope.
    """
    try:
        return _current.get()
    except LookupError:
        raise NoScope("no tenant is being served here; open a scope first") from None


def current_or_none() -> Tenant | None:
    """The tenant being served, or None outside every scope: for logs and metrics only."""
    return _current.get(None)


@contextmanager
def acting_for(tenant: Tenant) -> Iterator[Tenant]:
    """Within it, ``current()`` is ``tenant``."""
    token = _current.set(tenant)
    try:
        yield tenant
    finally:
        _current.reset(token)
