"""Who is asking, for the length of a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from uuid import UUID

from core.errors import Unauthenticated
from core.permissions import Permission, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A signed-in person of the tenant being served, and what they may do there.

    A ``machine`` has a token of its own instead of an account: it may do what needs a permission
    that it holds, and nothing that is meant for whoever is signed in.
    """

    user_id: UUID
    name: str
    email: str
    role: Role
    permissions: frozenset[str]
    session_id: UUID
    locale: str | None = None
    machine: bool = False

    def may(self, permission: Permission | str | None) -> bool:
        """Whether this person holds ``permission`` (a permission or its name; None: everyone)."""
        if permission is None:
            return True
        name = permission.name if isinstance(permission, Permission) else permission
        return name in self.permissions

    @property
    def is_staff(self) -> bool:
        """Whether this person works here, rather than being a customer."""
        return self.role is not Role.MEMBER


_current: ContextVar[Identity | None] = ContextVar("identity", default=None)


def current() -> Identity | None:
    """Whoever is asking, or None when nobody is signed in (or a job is running)."""
    return _current.get()


def required() -> Identity:
    """Whoever is asking.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    identity = _current.get()
    if identity is None:
        raise Unauthenticated
    return identity


def become(identity: Identity | None) -> Token[Identity | None]:
    """Set who is asking, for the rest of the present context: for the guard and edges only."""
    return _current.set(identity)


@contextmanager
def acting_as(identity: Identity | None) -> Iterator[None]:
    """Within it, ``current()`` is ``identity``."""
    token = _current.set(identity)
    try:
        yield
    finally:
        _current.reset(token)
