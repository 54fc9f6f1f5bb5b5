"""A product is taken away with its data: archived first, then gone, and free to be had again."""

from __future__ import annotations

import secrets
import zipfile
from uuid import UUID

import pytest
from sqlalchemy import select, text

from atrium.testing.site import Site
from atrium.testing.world import World
from core.errors import Conflict
from core.scope import Tenant
from plugins.car_hire import demo
from tenants.archive.sealing import ArchiveKey
from tenants.files import archive_file
from tenants.lifecycle import disable_plugin, enable_plugin, removal
from tenants.models import Export, ProvisioningRun, Seed
from tenants.tasks import actors
from tests.tenants.test_provisioning import Breaking, Broken

TABLES = """
SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(:scope) AND relkind = 'r'
  AND relname ~ '^car_hire_'
"""


@pytest.fixture
async def tenant(site: Site) -> Tenant:
    """With data in the product, which is off."""
    made = await site.world.provision(f"without-{secrets.token_hex(4)}")
    async with site.world.databases.transaction(made) as session:
        await demo.demo(session)
    async with site.world.databases.transaction(site.world.platform) as session:
        await disable_plugin(session, site.world.signals, made.id, "car_hire")
    return made


async def asked(world: World, tenant: Tenant) -> UUID:
    async with world.databases.transaction(world.platform) as session:
        return await removal.ask(
            session, tenant.id, "car_hire", ArchiveKey.fresh(), account_id=None, locale="en"
        )


async def archived(world: World, export_id: UUID) -> None:
    """What the worker does with the export."""
    job = next(each for each in actors(world.provisioner) if each.name == "tenants.export")
    async with world.databases.transaction(world.platform) as session:
        await job.body(session, export_id)


async def run_of(world: World, tenant: Tenant) -> UUID:
    """The run that the archive asked for."""
    query = text("SELECT id FROM provisioning_runs WHERE tenant_id = :id AND state <> 'done'")
    async with world.databases.transaction(world.platform) as session:
        return UUID(str(await session.scalar(query, {"id": tenant.id})))


async def test_it_is_archived_then_removed_and_can_be_had_again(
    world: World, tenant: Tenant
) -> None:
    """Tables, settings, seeds and turns go; core's tables and what is in them stay."""
    export_id = await asked(world, tenant)
    assert await _tables(world, tenant) > 0, "nothing goes before it is archived"
    await archived(world, export_id)
    await world.provisioner.run(await run_of(world, tenant))
    assert await _tables(world, tenant) == 0
    with zipfile.ZipFile(archive_file(world.settings, tenant.id, export_id)) as archive:
        assert "data/car_hire_bookings.jsonl" in archive.namelist()
        assert "data/users.jsonl" not in archive.namelist()
    async with world.databases.transaction(tenant) as session:
        assert await session.scalar(text("SELECT count(*) FROM users")) == 1
        seeds = await session.scalar(text("SELECT count(*) FROM seeds"))
    assert seeds == 0
    async with world.databases.transaction(world.platform) as session:
        again = await enable_plugin(session, world.signals, tenant.id, "car_hire")
    assert again is not None, "as if it had never been there"
    served = await world.provisioner.run(again)
    assert served.plugins == {"car_hire"}
    async with world.databases.transaction(tenant) as session:
        bookings = await session.scalar(text("SELECT count(*) FROM car_hire_bookings"))
    assert bookings == 0


async def test_what_is_on_is_not_removed(world: World) -> None:
    """It has to be turned off first; and what is being removed cannot be turned on."""
    tenant = await world.provision()
    with pytest.raises(Conflict):
        await asked(world, tenant)
    async with world.databases.transaction(world.platform) as session:
        await disable_plugin(session, world.signals, tenant.id, "car_hire")
    await asked(world, tenant)
    with pytest.raises(Conflict):
        async with world.databases.transaction(world.platform) as session:
            await enable_plugin(session, world.signals, tenant.id, "car_hire")
    with pytest.raises(Conflict):
        await asked(world, tenant)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_removal_that_stops_is_finished_later(
    world: World, tenant: Tenant, after: bool
) -> None:
    """Stopped before the tables go, or after it."""
    await archived(world, await asked(world, tenant))
    run_id = await run_of(world, tenant)
    breaking = Breaking(world.settings, world.databases, world.plugins, world.lines, world.signals)
    breaking.at, breaking.after = "remove:car_hire", after
    with pytest.raises(Broken):
        await breaking.run(run_id)
    await world.provisioner.run(run_id)
    assert await _tables(world, tenant) == 0
    async with world.databases.transaction(world.platform) as session:
        assert (await session.get_one(ProvisioningRun, run_id)).state == "done"


async def test_an_archive_that_fails_removes_nothing(
    world: World, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be asked for again."""
    export_id = await asked(world, tenant)

    async def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("tenants.exports.make_archive", full)
        with pytest.raises(OSError, match="no space"):
            await archived(world, export_id)
    async with world.databases.transaction(world.platform) as session:
        assert (await session.get_one(Export, export_id)).state == "failed"
    assert await _tables(world, tenant) > 0
    await archived(world, await asked(world, tenant))
    await world.provisioner.run(await run_of(world, tenant))
    assert await _tables(world, tenant) == 0


async def _tables(world: World, tenant: Tenant) -> int:
    async with world.databases.transaction(tenant) as session:
        found = await session.scalar(text(TABLES), {"scope": tenant.scope.name})
        return int(found or 0)


async def test_what_another_product_of_a_similar_name_keeps_stays(world: World) -> None:
    """The underscore of a name stands for itself."""
    async with world.databases.transaction(world.acme) as session:
        session.add_all(
            Seed(name=f"{name}.seed") for name in ("tool_hire", "tool_hire2", "tool2hire")
        )
        await session.flush()
        await removal.forget_settings(session, "tool_hire")
        left = set(await session.scalars(select(Seed.name).where(Seed.name.startswith("tool"))))
        await session.rollback()
    assert left == {"tool_hire2.seed", "tool2hire.seed"}
