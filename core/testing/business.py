"""The fixture ``business``: a tenant that has every installed plugin, and its people."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from core.permissions import Role
from core.scope import Tenant


class Business(Protocol):
    """One tenant of a throw-away installation, with PostgreSQL, Redis and the whole software."""

    @property
    def tenant(self) -> Tenant:
        """Who it is."""

    def visitor(self) -> httpx.AsyncClient:
        """A browser at its address in which nobody is signed in; use it by ``async with``."""

    async def person(self, role: Role = Role.STAFF) -> httpx.AsyncClient:
        """A browser in which somebody with a new account in ``role`` is signed in."""

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A session in its scope; committed at the end of the block."""

    async def work(self) -> list[str]:
        """Do what its outbox holds, as workers would; the names of the actors that ran, in turn.

        Raises:
            AssertionError: a job failed; the message says which and why.
        """
