"""What accounts of the portal and operators are told: by whatever does it, once, with it."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from atrium.testing.site import Site
from atrium.testing.world import World, order
from core.auth.identity import Identity, acting_as
from core.ids import new_id
from core.notifications.models import Notification
from core.permissions import Role
from core.scope import Tenant
from tenants import exports, lifecycle, notices
from tenants.archive.sealing import ArchiveKey
from tenants.exports import Exporter
from tenants.lifecycle import Owner, closing, enable_plugin
from tenants.runs import TOLD_AFTER
from tests.tenants.looked_after import LookedAfter
from tests.tenants.test_provisioning import Breaking, Broken


@pytest.fixture
async def business(site: Site) -> LookedAfter:
    """One of a test's own, without products."""
    return await LookedAfter.of(site, await site.world.provision(plugins=()))


class Undone(Exception):
    """Undoes a transaction."""


async def _kinds(world: World, tenant_id: UUID, reader: UUID) -> list[str]:
    mine = Notification.user_id == reader, Notification.subject_id == str(tenant_id)
    async with world.databases.transaction(world.platform) as session:
        return list(await session.scalars(select(Notification.kind).where(*mine)))


async def test_an_owner_hears_that_the_business_is_ready(site: Site) -> None:
    """Once, however often its run is worked off."""
    world = site.world
    account = await site.enrol(world.platform, Role.MEMBER)
    owner = Owner(email="o@new.example", name="Olga", account_id=account)
    async with world.databases.transaction(world.platform) as session:
        ordered = await lifecycle.note(session, order(world.plugins, owner=owner))
    for _ in range(2):
        made = await world.provisioner.run(ordered.run_id)
    assert await _kinds(world, made.id, account) == [notices.READY.name]


async def test_products_that_are_added_are_told(business: LookedAfter) -> None:
    """To those who look after the business, when they can be used, and not that it is ready."""
    world = business.site.world
    async with world.databases.transaction(world.platform) as session:
        run_id = await enable_plugin(session, world.signals, business.tenant.id, "car_hire")
    assert await business.news() == []
    assert run_id is not None
    for _ in range(2):
        await world.provisioner.run(run_id)
    assert await business.news() == business.both(notices.PRODUCT_ADDED)


async def test_a_set_up_that_stops_again_and_again_is_told_once(site: Site) -> None:
    """To its owner, who has no membership yet, and to operators; what mends itself is not."""
    world = site.world
    account = await site.enrol(world.platform, Role.MEMBER)
    operator = await site.enrol(world.platform, Role.STAFF)
    owner = Owner(email="o@stopped.example", name="Olga", account_id=account)
    async with world.databases.transaction(world.platform) as session:
        ordered = await lifecycle.note(session, order(world.plugins, owner=owner))
    broken = Breaking(world.settings, world.databases, world.plugins, world.lines, world.signals)
    broken.at, broken.after = "key", False
    for attempt in range(1, TOLD_AFTER + 3):
        with pytest.raises(Broken):
            await broken.run(ordered.run_id)
        stopped = attempt >= TOLD_AFTER
        assert await _kinds(world, ordered.tenant_id, account) == (
            [notices.STOPPED.name] if stopped else []
        )
        assert await _kinds(world, ordered.tenant_id, operator) == (
            [notices.RUN_FAILED.name] if stopped else []
        )
    await world.provisioner.run(ordered.run_id)
    assert await _kinds(world, ordered.tenant_id, account) == [
        notices.STOPPED.name, notices.READY.name,
    ]  # fmt: skip


async def test_closing_is_told_to_everybody_but_who_does_it(business: LookedAfter) -> None:
    """And only if it happens."""
    world, tenant = business.site.world, business.tenant
    with pytest.raises(Undone):
        await _close_and_undo(world, tenant)
    assert await business.news() == []
    doer = Identity(
        user_id=business.owner, name="", email="", role=Role.MEMBER, permissions=frozenset(),
        session_id=new_id(),
    )  # fmt: skip
    with acting_as(doer):
        for _ in range(2):
            async with world.databases.transaction(world.platform) as session:
                await closing.close(session, world.signals, world.settings, tenant.id)
    assert await business.news() == [(notices.CLOSED.name, business.admin)]


async def _close_and_undo(world: World, tenant: Tenant) -> None:
    async with world.databases.transaction(world.platform) as session:
        await closing.close(session, world.signals, world.settings, tenant.id)
        raise Undone


async def test_an_export_is_told_to_who_asked_for_it(business: LookedAfter) -> None:
    """When it can be fetched, once; an archive is nobody else's."""
    world = business.site.world
    platform = world.platform
    async with world.databases.transaction(platform) as session:
        export_id = await exports.ask(
            session,
            business.tenant.id,
            ArchiveKey.fresh(),
            account_id=business.owner,
            locale="en",
        )
    assert await business.news() == []
    exporter = Exporter(world.provisioner.means)
    for _ in range(2):
        async with world.databases.transaction(platform) as session:
            await exporter.run(session, export_id)
    assert await business.news() == [(notices.EXPORT_READY.name, business.owner)]
