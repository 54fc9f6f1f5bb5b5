"""What a process needs to know who is asking: opened once, handed to whoever needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final, Protocol, Self

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from core import origin
from core.auth.identity import Identity
from core.auth.passwords import Passwords
from core.auth.sessions import SessionCache, Sessions
from core.origin import Networks
from core.permissions import CORE_PERMISSIONS, Permission, Role, held_by
from core.scope import Tenant
from core.settings import Settings
from core.signals import Signals
from core.throttle import Throttle

SECURE_COOKIE: Final = "__Host-atrium"
LOCAL_COOKIE: Final = "atrium"


class Declared(Protocol):
    """What is asked of ``core.plugin.Plugins``, which services must not know: it knows the web."""

    @property
    def working(self) -> Mapping[str, object]: ...

    def permissions(self, names: Iterable[str]) -> tuple[Permission, ...]: ...


class Machines(Protocol):
    """The tokens of programs that act in nobody's name; supplied by the composition root."""

    prefix: str
    """What such a token begins with, and no session's does."""

    async def find(self, session: AsyncSession, tenant: Tenant, token: str) -> Identity | None:
        """Whom ``token`` lets in at ``tenant``; None if nobody."""


class Authority:
    """Passwords, sessions and throttles of this process. ``secure`` is whether it is on https.

    Not a dataclass: Litestar would look into its fields when it is handed to a route.
    """

    __slots__ = ("machines", "passwords", "proxies", "secure", "sessions", "throttle")

    def __init__(
        self,
        *,
        passwords: Passwords,
        sessions: Sessions,
        throttle: Throttle,
        secure: bool,
        proxies: Networks = (),
        machines: Machines | None = None,
    ) -> None:
        self.passwords = passwords
        self.sessions = sessions
        self.throttle = throttle
        self.secure = secure
        self.proxies = proxies
        self.machines = machines

    @classmethod
    def of(
        cls,
        settings: Settings,
        plugins: Declared,
        *,
        redis: Redis | None = None,
        signals: Signals | None = None,
        machines: Machines | None = None,
    ) -> Self:
        """The authority of a process with these ``settings`` and ``plugins``."""
        return cls(
            passwords=Passwords(),
            sessions=Sessions(SessionCache(signals), _held(plugins)),
            throttle=Throttle(redis),
            secure=settings.public_scheme == "https",
            proxies=origin.networks(settings.trusted_proxies),
            machines=machines,
        )

    @property
    def cookie_name(self) -> str:
        """``__Host-`` binds a cookie to https, this host and the root path; localhost has no
        https, and a browser would refuse it there."""
        return SECURE_COOKIE if self.secure else LOCAL_COOKIE


def _held(plugins: Declared) -> Callable[[Tenant, Role], frozenset[str]]:
    """What each role may do, computed once for each set of plugins."""

    @lru_cache(maxsize=1000)
    def held(on: frozenset[str], is_platform: bool, role: Role) -> frozenset[str]:
        names = frozenset(plugins.working) if is_platform else on
        return held_by(role, CORE_PERMISSIONS + plugins.permissions(names))

    return lambda tenant, role: held(tenant.plugins, tenant.is_platform, role)
