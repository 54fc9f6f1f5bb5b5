"""Files of a business: kept, served to whom they are for, discarded, swept."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from io import BytesIO

import httpx
import pytest
from PIL import Image
from sqlalchemy import select

from atrium.testing.site import Site
from core.ids import new_id
from core.permissions import Role
from core.scope import Tenant, acting_for
from core.storage import services, store
from core.storage.disk import DiskStore
from core.storage.keys import Key
from core.storage.models import StoredFile
from core.storage.store import Missing, Store

AREA = "car_hire.documents"


@pytest.fixture
async def files(site: Site) -> Store:
    """The site's own store."""
    return store.installed()


async def kept(site: Site, tenant: Tenant, name: str, body: bytes) -> StoredFile:
    async with site.world.databases.transaction(tenant) as session:
        return await services.keep(session, AREA, name, body)


def png() -> bytes:
    out = BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, "PNG")
    return out.getvalue()


async def test_what_is_kept_is_known_by_its_content(site: Site) -> None:
    """Whatever its name says."""
    body = png()
    file = await kept(site, site.world.acme, "C:\\photos\\../report\u202e.pdf\n", body)
    assert (file.name, file.media_type) == ("report.pdf", "image/png")
    assert (file.size, file.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    async with site.world.databases.transaction(site.world.acme) as session:
        assert await services.content(session, await services.one(session, file.id)) == body


async def test_only_its_own_business_has_it(site: Site) -> None:
    """The id is no secret: it is worth nothing elsewhere, and not without the permission."""
    world = site.world
    file = await kept(site, world.acme, "lease.pdf", b"%PDF-1.7 lease")
    async with await site.person(world.acme) as clerk:
        answer = await clerk.get(file.path)
        assert answer.content == b"%PDF-1.7 lease"
        assert answer.headers["content-disposition"].startswith('attachment; filename="lease.pdf"')
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
        held = {"if-none-match": answer.headers["etag"]}
        assert (await clerk.get(file.path, headers=held)).status_code == 304
    async with await site.person(world.acme, Role.MEMBER) as customer:
        assert (await customer.get(file.path)).status_code == 404
    async with site.visitor(world.acme) as nobody:
        for path in (file.path, f"/files/{new_id()}"):
            assert (await nobody.get(path)).status_code == 303
            assert (await nobody.get(f"/api/v1{path}")).status_code == 401
    for other in (world.bravo, world.delta, world.platform):
        async with await site.person(other, Role.OWNER) as thief:
            assert (await thief.get(file.path)).status_code == 404


async def test_its_object_is_not_anothers(site: Site) -> None:
    """A row forged in another scope leads to an object of that scope, which is not there."""
    world = site.world
    file = await kept(site, world.acme, "lease.pdf", b"%PDF-1.7 lease")
    async with world.databases.transaction(world.bravo) as session:
        session.add(
            StoredFile(
                id=file.id, area=AREA, name="x", media_type="application/pdf", size=14,
                sha256=file.sha256,
            )
        )  # fmt: skip
    async with await site.person(world.bravo, Role.OWNER) as thief:
        assert (await thief.get(file.path)).status_code == 404
    async with world.databases.transaction(world.bravo) as session:
        await session.delete(await session.get_one(StoredFile, file.id))


@pytest.mark.parametrize(
    "body",
    [b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", b"<html><script>x</script>", b""],
    ids=["svg", "html", "empty"],
)
async def test_what_could_run_is_only_saved(site: Site, body: bytes) -> None:
    """Never shown in the business's own pages, whatever its name says."""
    file = await kept(site, site.world.acme, 'a"; x="\u00e9.png', body)
    async with await site.person(site.world.acme) as clerk:
        answer = await clerk.get(file.path)
    assert answer.headers["content-type"] == "application/octet-stream"
    way = answer.headers["content-disposition"]
    assert way.startswith("attachment;")
    assert httpx.Headers({"x": way})  # one header still
    assert "filename*=UTF-8''a%22%3B%20x%3D%22%C3%A9.png" in way


async def test_a_picture_is_shown(site: Site) -> None:
    file = await kept(site, site.world.acme, "car.png", png())
    async with await site.person(site.world.acme) as clerk:
        answer = await clerk.get(file.path)
    assert answer.headers["content-disposition"].startswith("inline;")
    assert answer.headers["content-type"] == "image/png"


async def test_what_is_discarded_goes_with_its_object(site: Site, files: Store) -> None:
    """The row at once, the object when that is committed; twice does no harm."""
    acme = site.world.acme
    file = await kept(site, acme, "x", b"x")
    async with site.world.databases.transaction(acme) as session:
        await services.discard(session, file.id)
    with acting_for(acme):
        key = Key.here(AREA, file.id)
    for _time in range(2):
        async with site.world.databases.transaction(acme) as session:
            await services.remove(session, AREA, file.id)
    with pytest.raises(Missing):
        await files.read(key)


async def test_an_object_in_use_is_not_removed(site: Site) -> None:
    """A job that comes for a row which is there takes nothing."""
    acme = site.world.acme
    file = await kept(site, acme, "x", b"x")
    async with site.world.databases.transaction(acme) as session:
        await services.remove(session, AREA, file.id)
        assert await services.content(session, await services.one(session, file.id)) == b"x"


async def test_what_a_crash_left_is_swept(site: Site, files: Store) -> None:
    """An object without a row goes after a day; one with a row, or of today, stays."""
    acme = site.world.acme
    assert isinstance(files, DiskStore)
    kept_one = await kept(site, acme, "x", b"x")
    stray, fresh = new_id(), new_id()
    with acting_for(acme):
        keys = [Key.here(AREA, each) for each in (kept_one.id, stray, fresh)]
    for key in keys[1:]:
        await files.put(key, services._pieces(secrets.token_bytes(3)))
    long_ago = time.time() - 2 * 86_400
    for key in keys[:2]:
        os.utime(files.root / str(key), (long_ago, long_ago))
    async with site.world.databases.transaction(acme) as session:
        await services.sweep(session)
        rows = await session.scalars(select(StoredFile.id).where(StoredFile.id == kept_one.id))
        assert rows.all()
    there = {each.key async for each in files.listed(acme.id)}
    assert keys[0] in there
    assert keys[1] not in there
    assert keys[2] in there
