"""Out and in again: an archive makes a tenant whose archive has the same checksums."""

from __future__ import annotations

import csv
import io
import json
import resource
import zipfile
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select, text

from atrium.testing.site import Site
from atrium.testing.world import World
from core.auth.models import User
from core.payments.models import PaymentAccount
from core.scope import Tenant
from core.storage.disk import DiskStore
from plugins.car_hire.models import Booking, Customer
from tenants.archive.manifest import Manifest
from tenants.archive.reading import Archive
from tenants.archive.sealing import ArchiveKey
from tenants.archive.tables import UnknownTable, carried
from tenants.lifecycle import products
from tenants.senders import services
from tests.plugins.car_hire.shop import Shop
from tests.tenants.archive.conftest import archive_of, restored

PASSPHRASE = "correct horse battery"


async def test_pooled_to_dedicated_and_back_nothing_changes(
    site: Site, shop: Tenant, tmp_path: Path
) -> None:
    """Every table and file has the same checksum after two journeys, the sealed ones included."""
    world = site.world
    key, owner = await ArchiveKey.of(PASSPHRASE), f"owner@{shop.slug}.example"
    first = await archive_of(world, shop, tmp_path / "1.zip", key)
    there = await restored(world, first, tmp_path / "1.zip", key, own=True, owner=owner)
    second = await archive_of(world, there, tmp_path / "2.zip", key)
    back = await restored(world, second, tmp_path / "2.zip", key, own=False, owner=owner)
    third = await archive_of(world, back, tmp_path / "3.zip", key)
    assert there.scope.database != shop.scope.database == back.scope.database
    assert {each.name: each.rows.sha256 for each in first.tables if each.count} == {
        each.name: each.rows.sha256 for each in third.tables if each.count
    }
    for other in (second, third):
        assert other.tables == first.tables
        assert other.files == first.files
        assert other.lines == first.lines
    counts = {each.name: each.count for each in first.tables}
    assert counts["car_hire_bookings"] == 15
    assert counts["users"] >= 1
    assert len(first.files) > 2, "the photos of its demonstration as well"
    photo = DiskStore(world.settings.files_dir).folder(back.id) / "vehicles" / "front.jpg"
    assert photo.stat().st_size == 3_000_000
    async with world.databases.transaction(back) as session:
        assert await session.scalar(select(func.count()).select_from(Booking)) == 15
        people = (await session.scalars(select(Customer))).all()
        assert all(each.licence_number and each.born for each in people), "opened by its own key"
    async with site.visitor(back) as visitor:
        assert (await visitor.get("/car-hire")).status_code == 200


async def test_nothing_private_is_in_the_open(site: Site, shop: Tenant, tmp_path: Path) -> None:
    """What is sealed in the database is sealed in the archive; sessions and keys stay at home."""
    key = await ArchiveKey.of(PASSPHRASE)
    async with site.world.databases.transaction(shop) as session:
        hashed = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaG9mYXBhc3N3b3Jk"
        session.add(User(email="h@shop.example", name="H", role="staff", password_hash=hashed))
    manifest = await archive_of(site.world, shop, tmp_path / "a.zip", key)
    assert (tmp_path / "a.zip").stat().st_mode & 0o077 == 0
    async with site.world.databases.transaction(shop) as session:
        numbers = [each.licence_number for each in await session.scalars(select(Customer))]
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        everything = b"".join(archive.read(each) for each in archive.namelist())
    assert numbers
    assert not any(number.encode() in everything for number in numbers)
    assert b"$argon2id$" not in everything
    names = {each.name for each in manifest.tables}
    assert names.isdisjoint({"sessions", "one_time_tokens", "tenant_keys", "idempotency_keys"})


async def test_the_sender_of_mail_is_named_without_its_key(
    site: Site, shop: Tenant, tmp_path: Path
) -> None:
    """Elsewhere the domain is proved anew, with another key."""
    world = site.world
    async with world.databases.transaction(world.platform) as session:
        sender = await services.choose(
            session, world.settings, world.signals, shop.id, address="desk@archived.example"
        )
        (key,) = await services.keys_of(session, sender.id)
    manifest = await archive_of(world, shop, tmp_path / "a.zip", ArchiveKey.fresh())
    about = manifest.tenant.sender
    assert about is not None
    assert about.address == "desk@archived.example"
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        everything = b"".join(archive.read(each) for each in archive.namelist())
    assert key.public.encode() not in everything
    assert b"PRIVATE" not in everything


async def test_rows_are_json_and_sheets_are_csv(site: Site, shop: Tenant, tmp_path: Path) -> None:
    """Amounts keep their digits, and a spreadsheet runs no formula that a customer typed."""
    async with site.world.databases.transaction(shop) as session:
        someone = (await session.scalars(select(Customer).limit(1))).one()
        someone.name = '=HYPERLINK("https://evil.example")'
    key = await ArchiveKey.of(PASSPHRASE)
    await archive_of(site.world, shop, tmp_path / "a.zip", key)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        rows = [
            json.loads(line, parse_float=Decimal)
            for line in archive.read("data/car_hire_customers.jsonl").splitlines()
        ]
        sheet = list(
            csv.DictReader(io.StringIO(archive.read("sheets/car_hire_customers.csv").decode()))
        )
    assert len(rows) == len(sheet) > 3
    assert any(row["name"].startswith("=HYPERLINK") for row in rows)
    assert any(row["name"].startswith("'=HYPERLINK") for row in sheet)
    assert not any(row["name"].startswith("=") for row in sheet)


async def test_a_table_that_no_model_knows_stops_the_export(site: Site, tmp_path: Path) -> None:
    """An archive that lacks something must not look whole."""
    tenant = await site.world.provision(plugins=())
    table, execute = f"{tenant.scope.name}.by_hand", site.world.postgres.execute
    await execute(f"CREATE TABLE {table} (id int)", site.world.main_database)
    with pytest.raises(UnknownTable, match="by_hand"):
        await archive_of(site.world, tenant, tmp_path / "a.zip", ArchiveKey.fresh())
    await execute(f"DROP TABLE {table}", site.world.main_database)
    assert not (tmp_path / "a.zip").exists()


def test_every_table_of_a_line_is_carried_or_says_why_not(world: World) -> None:
    """Only keys, sessions and the like may stay behind; new tables come along by themselves."""
    kept = {each.name for each in carried({"core", *world.plugins.working})}
    stays = {
        name
        for name, table in PaymentAccount.metadata.tables.items()
        if table.info["line"] != "platform" and name not in kept
    }
    assert stays == {
        "tenant_keys", "sessions", "one_time_tokens", "idempotency_keys",
        "webhook_messages", "webhook_deliveries", "webhook_attempts",
    }  # fmt: skip


async def test_memory_does_not_grow_with_the_rows(site: Site, tmp_path: Path) -> None:
    """100,000 rows take no more than a few megabytes above what the process has."""
    tenant = await site.world.provision()
    async with site.world.databases.transaction(tenant) as session:
        for _ in range(5):  # a statement has thirty seconds, on however busy a machine
            await session.execute(
                text(
                    "INSERT INTO audit_entries (id, actor_kind, actor_name, action, subject_type,"
                    " subject_id, detail) SELECT gen_random_uuid(), 'system', repeat('x', 300),"
                    " 'a.b', 'thing', n::text, '{}' FROM generate_series(1, 20000) n"
                )
            )
    key = ArchiveKey.fresh()
    await archive_of(site.world, tenant, tmp_path / "warm.zip", key, plugin="car_hire")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    manifest = await archive_of(site.world, tenant, tmp_path / "a.zip", key)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    size = sum(each.size for each in manifest.parts)
    assert size > 60_000_000
    assert grown < 20_000, f"{grown} KiB for {size} bytes"


async def test_an_archive_is_what_it_says(site: Site, shop: Tenant, tmp_path: Path) -> None:
    """Checked whole, against its manifest."""
    key = await ArchiveKey.of(PASSPHRASE)
    await archive_of(site.world, shop, tmp_path / "a.zip", key)
    with Archive.open(tmp_path / "a.zip") as archive:
        archive.check()
        key.insist_on(archive.manifest.lock)
        archive.insist_on_software(site.world.plugins, site.world.lines)


async def test_a_product_that_was_off_is_off_again(site: Site, tmp_path: Path) -> None:
    """With its data; an archive from before that was noted has all its products on."""
    world = site.world
    shop = await world.provision()
    await Shop.open(world.databases, shop, cars=2)
    async with world.databases.transaction(world.platform) as session:
        await products.disable_plugin(session, world.signals, shop.id, "car_hire")
    key, owner = await ArchiveKey.of(PASSPHRASE), f"owner@{shop.slug}.example"
    archive = tmp_path / "off.zip"
    manifest = await archive_of(world, shop, archive, key)
    assert (manifest.off, set(manifest.plugins)) == (("car_hire",), {"car_hire"})
    again = await restored(world, manifest, archive, key, own=False, owner=owner)
    assert again.plugins == frozenset()
    async with world.databases.transaction(again) as session:
        assert await session.scalar(text("SELECT count(*) FROM car_hire_vehicles")) == 2
    written = msgspec.to_builtins(manifest)
    del written["off"]
    older = msgspec.convert(written, Manifest)
    assert (await restored(world, older, archive, key, own=False, owner=owner)).plugins == {
        "car_hire"
    }
