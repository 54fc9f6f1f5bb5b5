"""The one door from the portal into a tenant's own scope.

The portal runs as tenant zero and its role can read no tenant's schema. What it needs from one
is named here, each a transaction of its own in that scope; the portal's own transaction is
ended first, so that no request ever holds two connections.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.auth import entry
from core.auth.models import User
from core.db import Databases, outside
from core.logos import services as logos
from core.logos.pictures import Picture
from core.permissions import Role
from core.quotas import Limit
from core.quotas import services as quotas
from core.quotas.services import Usage
from core.scope import Directory, Tenant


class WayIn(NamedTuple):
    """``token`` is to be posted to ``url``: an address would be kept in histories and logs."""

    url: str
    token: str


@dataclass(frozen=True, slots=True)
class Crossing:
    """Opens tenants' scopes for the portal."""

    databases: Databases
    directory: Directory

    async def way_in(self, session: AsyncSession, tenant: Tenant, user_id: UUID) -> WayIn:
        """What lets one of the tenant's people in, once, within a minute."""

        async def issue() -> str:
            async with self.databases.transaction(tenant) as there:
                return await entry.issue(there, user_id)

        token = await outside(session, issue)
        return WayIn(self.directory.url_of(tenant, "/enter"), token)

    async def staff_of(self, session: AsyncSession, tenant: Tenant) -> int:
        """How many people work there and may sign in."""

        async def count() -> int:
            async with self.databases.transaction(tenant) as there:
                working = select(func.count()).where(
                    User.role != Role.MEMBER.value, User.disabled_at.is_(None)
                )
                return await there.scalar(working) or 0

        return await outside(session, count)

    async def usage_of(
        self, session: AsyncSession, tenant: Tenant, limits: Iterable[Limit]
    ) -> Sequence[Usage]:
        """How much of each limit is used there."""

        async def look() -> Sequence[Usage]:
            async with self.databases.transaction(tenant) as there:
                return await quotas.usage(there, limits)

        return await outside(session, look)

    async def keep_logo(
        self, session: AsyncSession, tenant: Tenant, picture: Picture, in_use: Collection[str]
    ) -> str:
        """Keep ``picture`` among the tenant's own rows; its address at the tenant's host."""

        async def keep() -> str:
            async with self.databases.transaction(tenant) as there:
                return await logos.keep(there, picture, in_use)

        return await outside(session, keep)

    async def role_of(self, session: AsyncSession, tenant: Tenant, user_id: UUID) -> Role | None:
        """What somebody is there now; None when they may not sign in any more."""

        async def look() -> str | None:
            async with self.databases.transaction(tenant) as there:
                role: str | None = await there.scalar(
                    select(User.role).where(User.id == user_id, User.disabled_at.is_(None))
                )
                return role

        role = await outside(session, look)
        return Role(role) if role is not None else None
