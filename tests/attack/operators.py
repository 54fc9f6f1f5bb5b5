"""What an intruder is after at the operator's: rows of the console, and the words in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import select

from atrium.testing.site import Site
from core.clock import now
from core.db import Base
from core.ids import new_id
from core.permissions import Role
from core.scope import Tenant
from tenants.models import Membership, ProvisioningRun, TenantLimit, TenantRecord
from tenants.operator import tokens
from tenants.operator.models import OperatorToken, TenantNote
from tests.atrium.test_dead_letters import dead_letter

LIMIT = "core.people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hoard:
    """The operator's rows about one tenant; ``owner_id`` is an account that owns the tenant."""

    tenant: Tenant
    owner_id: UUID
    ids: Mapping[str, UUID]
    """By the placeholders of the console's routes."""
    marks: tuple[str, ...]
    """Words that only the console shows."""
    secrets: Mapping[str, str]
    """Tokens that count no more, by what became of them, and one that may only ``read``."""

    @classmethod
    async def of(cls, site: Site) -> Hoard:
        """Some of everything that operators keep, about a tenant that nobody else uses."""
        world = site.world
        tenant = await world.provision(plugins=())
        note, token, error, reason, died = (f"hoard-{new_id().hex}" for _ in range(5))
        message_id = await dead_letter(world, tenant, error=died)
        owner_id, user_id = await site.enrol(world.platform, Role.MEMBER), new_id()
        async with world.databases.transaction(world.platform) as session:
            kept, _ = await tokens.make(session, token, "write")
            old, expired = await tokens.make(session, f"{token} old", "write")
            old.expires_at = now() - timedelta(seconds=1)
            lost, revoked = await tokens.make(session, f"{token} lost", "write")
            await tokens.revoke(session, lost.id)
            _, read = await tokens.make(session, f"{token} read", "read")
            run = ProvisioningRun(id=new_id(), tenant_id=tenant.id, state="failed", error=error)
            session.add_all([
                run,
                TenantNote(tenant_id=tenant.id, text=note, author="Olga"),
                TenantLimit(
                    tenant_id=tenant.id, limit=LIMIT, allowed=7, reason=reason, granted_by="Olga"
                ),
                Membership(
                    tenant_id=tenant.id, account_id=owner_id, user_id=user_id, role="owner"
                ),
            ])  # fmt: skip
        return cls(
            tenant=tenant,
            owner_id=owner_id,
            ids={
                "tenant_id": tenant.id,
                "run_id": run.id,
                "token_id": kept.id,
                "message_id": message_id,
            },
            marks=(note, token, error, reason, died),
            secrets={"expired": expired, "revoked": revoked, "read": read},
        )

    def bodies(self) -> list[dict[str, Any]]:
        """What an operator could send to the console's routes."""
        slug = self.tenant.slug
        return [
            {},
            {"reason": "Eve says so"},
            {"message": "Eve says so"},
            {"confirm": slug},
            {"text": "eve was here"},
            {"name": "eve", "access": "write"},
            {"name": "eve"},
            {"limit": LIMIT, "allowed": "1", "reason": "eve"},
            {"allowed": 1, "reason": "eve"},
            {"tenant": slug},
            {"tenant_id": str(self.tenant.id)},
        ]

    async def state(self, site: Site) -> list[Any]:
        """All that an operator could have changed, in a form that can be compared."""
        world, mine = site.world, self.tenant.id
        async with world.databases.transaction(world.platform) as session:

            async def rows(model: type[Base], *where: Any) -> list[Any]:
                columns = [each for each in model.__table__.c if each.name != "last_used_at"]
                found = await session.execute(select(*columns).where(*where).order_by(*columns[:1]))
                return [tuple(row) for row in found]

            kept = [
                await rows(TenantRecord, TenantRecord.id == mine),
                await rows(TenantNote, TenantNote.tenant_id == mine),
                await rows(TenantLimit, TenantLimit.tenant_id == mine),
                await rows(ProvisioningRun, ProvisioningRun.tenant_id == mine),
                await rows(OperatorToken, OperatorToken.name.startswith(self.marks[1])),
                await rows(OperatorToken, OperatorToken.name == "eve"),
            ]
        letter = "SELECT state, attempt, error FROM outbox.messages WHERE id = $1"
        return [*kept, await self._of_the_letter(site, letter)]

    async def bury(self, site: Site) -> None:
        """Take the dead letter away: other tests say that there is none."""
        await self._of_the_letter(site, "DELETE FROM outbox.messages WHERE id = $1")

    async def _of_the_letter(self, site: Site, query: str) -> list[Any]:
        connection = await asyncpg.connect(site.world.superuser_dsn(self.tenant))
        found = await connection.fetch(query, self.ids["message_id"])
        await connection.close()
        return [tuple(row) for row in found]
