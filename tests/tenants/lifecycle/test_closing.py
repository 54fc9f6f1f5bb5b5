"""Closed, brought back, and in the end deleted: nothing of it is left anywhere."""

from __future__ import annotations

import asyncio
import os
import secrets
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from atrium.testing.site import Site
from atrium.testing.world import World
from core.clock import now
from core.errors import Conflict
from core.mail.models import Mail
from core.payments.models import PaymentAccount
from core.scope import Tenant
from plugins.car_hire import demo
from tenants import notices
from tenants.deletion import Deleter
from tenants.lifecycle import SlugTaken, closing, serving
from tenants.lifecycle.closing import DELETION
from tenants.models import TenantRecord
from tests.tenants import killable
from tests.tenants.archive.conftest import dedicated
from tests.tenants.lifecycle.markers import Marks, database_of, found, remains
from tests.tenants.looked_after import LookedAfter


@pytest.fixture
async def tenant(site: Site) -> Tenant:
    """One that is of no use to anybody else."""
    return await site.world.provision(f"doomed-{secrets.token_hex(5)}")


async def close(world: World, tenant: Tenant) -> None:
    async with world.databases.transaction(world.platform) as session:
        await closing.close(session, world.signals, world.settings, tenant.id)


async def begun(world: World, tenant: Tenant) -> UUID:
    """The run of a deletion that is due."""
    await close(world, tenant)
    async with world.databases.transaction(world.platform) as session:
        return await closing.delete(session, world.signals, tenant.id)


async def test_closed_it_can_be_brought_back(site: Site, tenant: Tenant) -> None:
    """Visitors read that it has closed; reopened, it is as it was."""
    world = site.world
    await close(world, tenant)
    site.catalogue.forget(tenant.id)
    async with site.visitor(tenant, accept="text/html") as visitor:
        page = await visitor.get("/car-hire")
    assert page.status_code == 503
    assert "This business has closed" in page.text
    async with world.databases.transaction(world.platform) as session:
        record = await session.get_one(TenantRecord, tenant.id)
        assert record.delete_after is not None
        left = record.delete_after - now()
        assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
        await closing.reopen(session, world.signals, world.settings, tenant.id)
    site.catalogue.forget(tenant.id)
    async with site.visitor(tenant) as visitor:
        assert (await visitor.get("/car-hire")).status_code == 200


async def test_what_was_suspended_is_suspended_when_brought_back(
    world: World, tenant: Tenant
) -> None:
    """Closing is no way round a suspension."""
    async with world.databases.transaction(world.platform) as session:
        await serving.suspend(session, world.signals, tenant.id, "unpaid")
    await close(world, tenant)
    async with world.databases.transaction(world.platform) as session:
        await closing.reopen(session, world.signals, world.settings, tenant.id)
        record = await session.get_one(TenantRecord, tenant.id)
        assert (record.status, record.suspended_reason) == ("suspended", "unpaid")


async def test_only_what_is_closed_and_due_is_deleted(world: World, tenant: Tenant) -> None:
    """Not one that is open, nor one whose days of grace are not over."""
    with pytest.raises(Conflict):
        async with world.databases.transaction(world.platform) as session:
            await closing.delete(session, world.signals, tenant.id)
    await close(world, tenant)
    async with world.databases.transaction(world.platform) as session:
        assert await closing.delete_due(session, world.signals) == []
        await session.execute(
            update(TenantRecord).where(TenantRecord.id == tenant.id).values(delete_after=now())
        )
    async with world.databases.transaction(world.platform) as session:
        assert len(await closing.delete_due(session, world.signals)) == 1
    with pytest.raises(Conflict):
        async with world.databases.transaction(world.platform) as session:
            await closing.reopen(session, world.signals, world.settings, tenant.id)


@pytest.mark.parametrize("hosting", ["pooled", "dedicated"])
async def test_nothing_is_left_of_a_deleted_tenant(site: Site, hosting: str) -> None:
    """Marks in every store, looked for afterwards in every table of every database, in Redis, in
    files, and in PostgreSQL's own lists of roles, schemas and grants."""
    world = site.world
    own = hosting == "dedicated"
    name = await dedicated(world) if own else None
    tenant = await world.provision(hosting=hosting, database=name)
    await site.person(tenant)
    async with world.databases.transaction(tenant) as session:
        await demo.demo(session)
    await _a_bit_of_everything(tenant, world)
    marks = Marks(world, tenant)
    await marks.plant()
    databases = [world.main_database, world.own_database]
    if own:
        databases.append(database_of(tenant))
    before = await found(world, marks, databases)
    assert set(before) == set(marks.planted.values()), "the search finds what there is"
    assert len(marks.planted) >= 50
    tables = {place.rpartition(".")[0] for place in before}
    for table in ("users", "sessions", "mails", "audit_entries", "car_hire_customers", "seeds",
                  "plugin_settings", "idempotency_keys", "payment_accounts"):  # fmt: skip
        assert any(each.endswith(f'"{table}"') for each in tables), table

    run_id = await begun(world, tenant)
    await Deleter(world.provisioner.means).run(run_id)

    assert await found(world, marks, databases) == {}
    for database in databases:
        assert await remains(world, tenant.id, database) == []
    folders = os.listdir(world.settings.files_dir / "tenants")
    assert tenant.id.hex not in folders + os.listdir(world.settings.files_dir / "archives")
    assert await world.directory.by_id(tenant.id) is None
    if own:
        assert tenant.scope.database.name not in world.databases._engines
    with pytest.raises(SlugTaken):
        await world.provision(tenant.slug)
    await Deleter(world.provisioner.means).run(run_id)


async def test_what_accounts_were_told_of_it_goes_with_it(site: Site, tenant: Tenant) -> None:
    """Under their bells, and letters of mornings that may name it; what is said of others stays."""
    world = site.world
    business = await LookedAfter.of(site, tenant)
    other = await LookedAfter.of(site, await world.provision(plugins=()))
    told = (business.owner, business.operator, other.owner)
    async with world.databases.transaction(world.platform) as session:
        await notices.tell(session, notices.READY, tenant.id, to=told[:2])
        await notices.tell(session, notices.READY, other.tenant.id, to=told[2:])
        session.add_all(
            Mail(
                template="notifications/mail/digest", recipient="x", locale="en", subject="s",
                text=tenant.name, state="caught", attempts=1, key=f"digest:{each}:2026-01-31",
            )
            for each in told
        )  # fmt: skip
    run_id = await begun(world, tenant)
    await Deleter(world.provisioner.means).run(run_id)
    assert await business.news() == []
    assert await other.news() == [(notices.READY.name, other.owner)]
    async with world.databases.transaction(world.platform) as session:
        mornings = select(Mail.key).where(Mail.key.like("digest:%:2026-01-31"))
        kept = set(await session.scalars(mornings))
    assert f"digest:{other.owner}:2026-01-31" in kept
    assert not {f"digest:{each}:2026-01-31" for each in told[:2]} & kept


async def _a_bit_of_everything(tenant: Tenant, world: World) -> None:
    """Rows where the demo leaves none, so that there is something to mark."""
    async with world.databases.transaction(tenant) as session:
        session.add(
            PaymentAccount(
                provider="stripe",
                account_ref="a",
                name="n",
                live=False,
                publishable_key="p",
                secret_key="s",
                hook_token=secrets.token_hex(8),
                active=False,
            )
        )
        for statement in (
            "INSERT INTO plugin_settings (plugin, value, version, updated_at)"
            " VALUES ('x', '{}', 1, now())",
            "INSERT INTO idempotency_keys (owner, route, key, request) VALUES ('o', 'r', 'k', '')",
            "INSERT INTO audit_entries (id, actor_kind, actor_name, action, subject_type,"
            " subject_id, detail) VALUES (gen_random_uuid(), 'system', 'x', 'a.b', 't', '1', '{}')",
            "INSERT INTO mails (id, template, recipient, locale, subject, text, state, attempts)"
            " VALUES (gen_random_uuid(), 'x', '', 'en', '', '', 'caught', 0)",
        ):
            await session.execute(text(statement))


class Broken(RuntimeError):
    """What the tests stop a step with."""


class Breaking(Deleter):
    """Stops at one step: before it, or after its work but before that is recorded."""

    at = ""
    after = False

    async def _perform(self, doomed, name):  # type: ignore[no-untyped-def]
        if name != type(self).at:
            return await super()._perform(doomed, name)
        if type(self).after:
            await super()._perform(doomed, name)
        raise Broken(name)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", DELETION)
async def test_a_deletion_that_stops_anywhere_is_finished_later(
    world: World, tenant: Tenant, step: str, after: bool
) -> None:
    """Stopped before a step, or when its work was done but not noted."""
    Breaking.at, Breaking.after = step, after
    run_id = await begun(world, tenant)
    with pytest.raises(Broken):
        await Breaking(world.provisioner.means).run(run_id)
    await Deleter(world.provisioner.means).run(run_id)
    await _gone(world, tenant)


@pytest.mark.parametrize("step", DELETION)
async def test_a_process_killed_at_any_step_leaves_what_the_next_one_finishes(
    world: World, tenant: Tenant, step: str
) -> None:
    """kill -9 as soon as a step has begun."""
    run_id = await begun(world, tenant)
    process = killable.deleting(world.settings, run_id)
    try:
        await _wait_for(world, run_id, step)
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
        process.close()
    await Deleter(world.provisioner.means).run(run_id)
    await _gone(world, tenant)


async def _gone(world: World, tenant: Tenant) -> None:
    assert await remains(world, tenant.id, world.main_database) == []
    async with world.databases.transaction(world.platform) as session:
        left = await session.scalar(select(TenantRecord.id).where(TenantRecord.id == tenant.id))
    assert left is None


async def _wait_for(world: World, run_id: UUID, step: str) -> None:
    """Until a step has begun, or everything is over already."""
    query = text("SELECT s.state FROM provisioning_steps s WHERE run_id = :run AND name = :step")
    for _ in range(3000):
        async with world.databases.transaction(world.platform) as session:
            state = await session.scalar(query, {"run": run_id, "step": step})
        if state != "waiting":
            return
        await asyncio.sleep(0.003)
    raise AssertionError(step)
