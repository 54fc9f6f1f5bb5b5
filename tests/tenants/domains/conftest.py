"""A name server, somebody who looks at it, and businesses that claim names."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.testing.site import Site
from core.scope import Tenant
from tenants.domains import records, services
from tenants.domains.checking import Inspector
from tenants.domains.models import TenantHost
from tests.dns import NameServer, name_server


@pytest.fixture
async def dns() -> AsyncIterator[NameServer]:
    """The public DNS of a test."""
    async with name_server() as server:
        yield server


@dataclass(frozen=True, slots=True)
class Registry:
    """What owners and we do with names, each in a transaction of its own."""

    site: Site
    dns: NameServer
    inspector: Inspector

    async def claim(self, tenant: Tenant, host: str) -> UUID:
        """A claim to ``host``."""
        async with self.transaction() as session:
            return await services.claim(session, self.site.world.settings, tenant.id, host)

    async def make_records(self, domain_id: UUID, tenant: Tenant) -> TenantHost:
        """What its owner does at whoever runs the DNS."""
        domain = await self.now(domain_id)
        challenge = (f"{records.CHALLENGE}.{domain.host}", "TXT")
        self.dns.zone.setdefault(challenge, []).append(records.proof(domain.token))
        self.dns.zone[domain.host, "CNAME"] = [f"{tenant.slug}.localhost"]
        return domain

    def drop_records(self, host: str) -> None:
        """All of them vanish."""
        self.dns.zone.pop((f"{records.CHALLENGE}.{host}", "TXT"), None)
        self.dns.zone.pop((host, "CNAME"), None)

    async def proved(self, tenant: Tenant, host: str = "") -> TenantHost:
        """A name that works."""
        domain_id = await self.claim(tenant, host or fresh())
        await self.make_records(domain_id, tenant)
        return await self.look(domain_id)

    async def look(self, domain_id: UUID) -> TenantHost:
        """What the job does, and what is kept of it."""
        async with self.transaction() as session:
            await self.inspector.look(session, domain_id)
        return await self.now(domain_id)

    async def now(self, domain_id: UUID) -> TenantHost:
        """As it is kept now."""
        async with self.transaction() as session:
            return (
                await session.scalars(select(TenantHost).where(TenantHost.id == domain_id))
            ).one()

    async def pass_time(self, domain_id: UUID, span: timedelta) -> None:
        """As if everything noted of it had happened so much earlier."""
        moments = ("verified_at", "checked_at", "next_check_at", "wrong_since", "warned_at")
        columns = {name: getattr(TenantHost, name) - span for name in moments}
        async with self.transaction() as session:
            await session.execute(
                update(TenantHost).where(TenantHost.id == domain_id).values(columns)
            )

    def transaction(self):  # type: ignore[no-untyped-def]  # an async context of a session
        """One of tenant zero's."""
        world = self.site.world
        return world.databases.transaction(world.platform)

    async def letters(self, template: str) -> list[str]:
        """The letters of that kind, as text."""
        async with self.transaction() as session:
            return await _letters(session, template)


async def _letters(session: AsyncSession, template: str) -> list[str]:
    from core.mail.models import Mail

    return list(await session.scalars(select(Mail.text).where(Mail.template == template)))


@pytest.fixture
async def registry(site: Site, dns: NameServer) -> AsyncIterator[Registry]:
    """Names of the site's tenants, given up after the test: a business can have 20."""
    world = site.world
    inspector = Inspector(settings=world.settings, signals=world.signals, resolver=dns.resolver())
    yield Registry(site, dns, inspector)
    async with world.databases.transaction(world.platform) as session:
        mine = TenantHost.tenant_id.in_([each.id for each in world.tenants])
        await session.execute(delete(TenantHost).where(mine))
    world.directory.forget_all()


def fresh(below: str = "example") -> str:
    """A name that nobody has."""
    return f"www.hire-{secrets.token_hex(4)}.{below}"
