"""A password of the portal chosen anew shuts what the account had entered."""

from __future__ import annotations

import asyncpg
from sqlalchemy import text

from atrium.testing.site import Site
from core.auth import entry, recovery
from core.auth.recovery import PasswordReset
from core.ids import new_id
from core.permissions import Role
from tenants.entrances.part import entrances
from tenants.entrances.shutting import Entrances, places_of
from tenants.models import Membership


async def test_sessions_entered_from_the_portal_end(site: Site) -> None:
    """Everywhere that the account may enter, pooled and dedicated; nobody else's."""
    world = site.world
    ways = Entrances(databases=world.databases, directory=world.directory, sessions=site.sessions)
    account = new_id()
    people = {each.id: await site.enrol(each, Role.OWNER) for each in (world.acme, world.delta)}
    async with world.databases.transaction(world.platform) as session:
        for tenant_id, user_id in people.items():
            session.add(
                Membership(tenant_id=tenant_id, account_id=account, user_id=user_id, role="owner")
            )
    bystander = await site.enrol(world.acme, Role.OWNER)
    begun = {}
    for tenant in (world.acme, world.delta):
        async with world.databases.transaction(tenant) as session:
            begun[tenant.id] = await site.sessions.begin(session, people[tenant.id])
    async with world.databases.transaction(world.acme) as session:
        others = await site.sessions.begin(session, bystander)
        assert await site.sessions.find(session, world.acme, begun[world.acme.id], "page")
    async with world.databases.transaction(world.platform) as session:
        found = await places_of(session, account)
        assert dict(found) == people
        for tenant_id, user_id in found:
            await ways.shut(session, tenant_id, user_id)
    for tenant in (world.acme, world.delta):
        async with world.databases.transaction(tenant) as session:
            assert await site.sessions.find(session, tenant, begun[tenant.id], "page") is None
    async with world.databases.transaction(world.acme) as session:
        assert await site.sessions.find(session, world.acme, others, "page") is not None
    async with world.databases.transaction(world.platform) as session:
        query = text("DELETE FROM platform.memberships WHERE account_id = :id")
        await session.execute(query, {"id": account})


async def test_a_reset_at_the_portal_asks_for_it(site: Site) -> None:
    """The event is told in the transaction of the new password, and the part listens."""
    world = site.world
    part = entrances(
        Entrances(databases=world.databases, directory=world.directory, sessions=site.sessions)
    )
    assert PasswordReset in part.listeners
    user_id = await site.enrol(world.platform, Role.MEMBER)
    async with world.databases.transaction(world.platform) as session:
        token = await entry.issue_reset(session, user_id)
        authority = site.edge.platform.state["authority"]
        await recovery.reset(session, authority, token=token, password="quite another staple")
    connection = await asyncpg.connect(world.superuser_dsn(world.platform))
    try:
        told = await connection.fetchval(
            "SELECT count(*) FROM outbox.messages WHERE actor = 'core.fan_out'"
            " AND args->>'event' = 'core.password_reset' AND args->'body'->>'user_id' = $1",
            str(user_id),
        )
    finally:
        await connection.close()
    assert told == 1
