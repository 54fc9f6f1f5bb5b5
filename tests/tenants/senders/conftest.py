"""A name server, and businesses that send from domains of their own."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from atrium.testing.site import Site
from core.auth.models import User
from core.ids import new_id
from core.permissions import Role
from core.scope import Tenant
from tenants.domains import resolver
from tenants.models import Membership
from tenants.senders import checking, keys, records, services
from tenants.senders.checking import SenderInspector
from tenants.senders.models import MailSender, SenderKey
from tests.dns import NameServer, name_server


@pytest.fixture
async def dns() -> AsyncIterator[NameServer]:
    """The public DNS of a test, also for the site's own resolver."""
    usual = resolver.installed()
    async with name_server() as server:
        server.zone["localhost", "TXT"] = ["v=spf1 ip4:192.0.2.1 -all"]
        resolver.install(server.resolver())
        yield server
    resolver.install(usual)


@dataclass(frozen=True, slots=True)
class PostRoom:
    """What owners and we do with addresses, each in a transaction of its own."""

    site: Site
    dns: NameServer
    inspector: SenderInspector

    def transaction(self):  # type: ignore[no-untyped-def]  # an async context of a session
        """One of tenant zero's."""
        world = self.site.world
        return world.databases.transaction(world.platform)

    async def choose(self, tenant: Tenant, address: str, **more: str) -> MailSender:
        """Choose an address."""
        world = self.site.world
        async with self.transaction() as session:
            return await services.choose(
                session, world.settings, world.signals, tenant.id, address=address, **more
            )

    async def publish(self, tenant: Tenant) -> MailSender:
        """What its owner does at whoever runs the DNS."""
        sender = await self.now(tenant)
        zone, domain = self.dns.zone, sender.domain
        zone[f"{records.CHALLENGE}.{domain}", "TXT"] = [records.proof(sender.token)]
        zone[domain, "TXT"] = ["v=spf1 include:localhost ~all"]
        for key in await self.keys(tenant):
            text = keys.record_of(key.public)
            zone[f"{key.selector}._domainkey.{domain}", "TXT"] = [in_pieces(text)]
        return sender

    async def working(self, tenant: Tenant, address: str = "", **more: str) -> MailSender:
        """An address that letters leave from."""
        await self.choose(tenant, address or f"desk@{fresh()}", **more)
        await self.publish(tenant)
        sender = await self.look(tenant)
        assert sender.verified_at is not None, sender.records
        return sender

    async def look(self, tenant: Tenant) -> MailSender:
        """What the job does, and what is kept of it."""
        sender = await self.now(tenant)
        async with self.transaction() as session:
            await self.inspector.look(session, sender.id)
        return await self.now(tenant)

    async def now(self, tenant: Tenant) -> MailSender:
        """As it is kept now."""
        async with self.transaction() as session:
            return await services.one(session, tenant.id)

    async def keys(self, tenant: Tenant) -> list[SenderKey]:
        """Its keys, oldest first."""
        async with self.transaction() as session:
            sender = await services.one(session, tenant.id)
            return list(await services.keys_of(session, sender.id))

    async def pass_time(self, tenant: Tenant, span: timedelta) -> None:
        """As if everything noted of it had happened so much earlier."""
        moments = ("verified_at", "checked_at", "next_check_at", "warned_at", "unproved_since")
        columns = {name: getattr(MailSender, name) - span for name in moments}
        async with self.transaction() as session:
            sender = await services.one(session, tenant.id)
            mine = MailSender.tenant_id == tenant.id
            await session.execute(update(MailSender).where(mine).values(columns))
            retired = SenderKey.sender_id == sender.id, SenderKey.retires_at.is_not(None)
            earlier = {"retires_at": SenderKey.retires_at - span}
            await session.execute(update(SenderKey).where(*retired).values(earlier))

    async def has_an_owner(self, tenant: Tenant) -> None:
        """Somebody who looks after it at the portal."""
        async with self.transaction() as session:
            owner = User(email=f"owner@{fresh()}", name="Lia of Senders", role=Role.MEMBER.value)
            session.add(owner)
            await session.flush()
            session.add(
                Membership(
                    tenant_id=tenant.id,
                    account_id=owner.id,
                    user_id=new_id(),
                    role=Role.OWNER.value,
                )
            )

    async def break_until_fallback(self, tenant: Tenant) -> MailSender:
        """The key's record vanishes and stays away."""
        (key,) = [each for each in await self.keys(tenant) if each.state == "current"]
        sender = await self.now(tenant)
        self.dns.zone.pop((f"{key.selector}._domainkey.{sender.domain}", "TXT"))
        for _look in range(checking.FALLS_BACK_AFTER):
            sender = await self.look(tenant)
        return sender

    async def served(self, tenant: Tenant) -> Tenant:
        """As the directory knows the tenant now."""
        found = await self.site.world.directory.by_id(tenant.id)
        assert found is not None
        return found


def fresh() -> str:
    """A domain that nobody has."""
    return f"hire-{secrets.token_hex(4)}.example"


def in_pieces(text: str) -> str:
    """As the strings of one TXT record of the test's name server."""
    return '" "'.join(text[at : at + 250] for at in range(0, len(text), 250))


@pytest.fixture
async def room(site: Site, dns: NameServer) -> AsyncIterator[PostRoom]:
    """Addresses of the site's tenants, given up after the test."""
    world = site.world
    inspector = SenderInspector(
        settings=world.settings, signals=world.signals, resolver=dns.resolver()
    )
    yield PostRoom(site, dns, inspector)
    async with world.databases.transaction(world.platform) as session:
        mine = MailSender.tenant_id.in_([each.id for each in world.tenants])
        await session.execute(delete(MailSender).where(mine))
        gone = Membership.account_id.in_(select(User.id).where(User.name == "Lia of Senders"))
        await session.execute(delete(Membership).where(gone))
    world.directory.forget_all()
