"""A business that people of the portal look after, and what they were told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from sqlalchemy import delete

from atrium.testing.site import Site
from core.ids import new_id
from core.notices import Notice
from core.notifications.models import Notification
from core.permissions import Role
from core.scope import Tenant
from tenants.models import Membership


@dataclass(frozen=True, slots=True)
class LookedAfter:
    """``staff`` works there and looks after nothing; ``operator`` is one of ours."""

    site: Site
    tenant: Tenant
    owner: UUID
    admin: UUID
    staff: UUID
    operator: UUID

    @classmethod
    async def of(cls, site: Site, tenant: Tenant) -> Self:
        """New people for ``tenant``."""
        world = site.world
        roles = Role.OWNER, Role.ADMIN, Role.STAFF
        owner, admin, staff = [await site.enrol(world.platform, Role.MEMBER) for _ in roles]
        async with world.databases.transaction(world.platform) as session:
            session.add_all(
                Membership(
                    tenant_id=tenant.id, account_id=account, user_id=new_id(), role=role.value
                )
                for account, role in zip((owner, admin, staff), roles, strict=True)
            )
        operator = await site.enrol(world.platform, Role.STAFF)
        return cls(site, tenant, owner, admin, staff, operator)

    async def news(self) -> list[tuple[str, UUID]]:
        """Kinds and readers of what was said since this was asked last."""
        people = (self.owner, self.admin, self.staff, self.operator)
        taken = (
            delete(Notification)
            .where(Notification.subject_type == "tenant")
            .where(Notification.subject_id == str(self.tenant.id), Notification.user_id.in_(people))
            .returning(Notification.kind, Notification.user_id)
        )
        world = self.site.world
        async with world.databases.transaction(world.platform) as session:
            return sorted((kind, reader) for kind, reader in await session.execute(taken))

    def both(self, notice: Notice) -> list[tuple[str, UUID]]:
        """That notice, told to owner and admin."""
        return sorted((notice.name, each) for each in (self.owner, self.admin))
