"""A business with believable data, and archives made of tenants."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from atrium.testing.site import Site
from atrium.testing.world import World
from core.ids import new_id
from core.scope import Tenant
from core.storage.disk import DiskStore
from plugins.car_hire import demo
from tenants.archive.making import make_archive
from tenants.archive.manifest import Manifest
from tenants.archive.sealing import ArchiveKey
from tenants.bootstrap import bootstrap
from tenants.databases import register
from tenants.lifecycle import Order, Owner
from tenants.lifecycle.restoring import note_import
from tests.databases import PASSWORDS


@pytest.fixture(scope="module")
async def shop(site: Site) -> Tenant:
    """Pooled, with the demo's data and two files; its plugins' gateways are a site's."""
    made = await site.world.provision(f"shop-{secrets.token_hex(3)}")
    async with site.world.databases.transaction(made) as session:
        await demo.demo(session)
    folder = DiskStore(site.world.settings.files_dir).folder(made.id)
    (folder / "vehicles").mkdir(parents=True)
    (folder / "vehicles" / "front.jpg").write_bytes(secrets.token_bytes(3_000_000))
    (folder / "contract é.txt").write_text("Sign here.")
    return made


async def archive_of(
    world: World, tenant: Tenant, to: Path, key: ArchiveKey, **chosen: object
) -> Manifest:
    """Make one here and now."""

    async def told(_tables: int, _total: int, _rows: int) -> None:
        pass

    return await make_archive(
        world.provisioner.means,
        tenant.id,
        to,
        key,
        told,
        **chosen,  # type: ignore[arg-type]
    )


async def restored(
    world: World, manifest: Manifest, archive: Path, key: ArchiveKey, *, own: bool, owner: str
) -> Tenant:
    """A new tenant of an archive, pooled or in a database of its own."""
    name = await dedicated(world) if own else None
    about = manifest.tenant
    wanted = Order(
        slug=f"again-{secrets.token_hex(5)}",
        name=about.name,
        zone=about.zone,
        currency=about.currency,
        locale=about.locale,
        plugins=tuple(manifest.plugins),
        off=manifest.off,
        owner=Owner(email=owner, name="Olga Owner"),
        hosting="dedicated" if own else "pooled",
        database=name,
    )
    async with world.databases.transaction(world.platform) as session:
        ordered = await note_import(session, wanted, archive, key)
    return await world.provisioner.run(ordered.run_id)


async def dedicated(world: World) -> str:
    """An empty database for one tenant, entered into the catalogue."""
    dbname = await world.postgres.create_database("own")
    extensions = {name for plugin in world.plugins for name in plugin.extensions}
    await bootstrap(
        world.postgres.dsn(dbname), PASSWORDS, extensions=extensions, serves_pooled=False
    )
    name = f"own-{new_id().hex[-12:]}"
    async with world.databases.transaction(world.platform) as session:
        await register(
            session,
            name=name,
            dbname=dbname,
            dedicated=True,
            host=world.postgres.host,
            port=world.postgres.port,
        )
    return name
