"""An archive becomes a business: sent, checked, shown, confirmed; and everything it may not be."""

from __future__ import annotations

import asyncio
import resource
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from atrium.testing.site import Site
from core.clock import now
from core.ids import new_id
from core.permissions import Role
from core.settings import Settings
from tenants.archive.manifest import Manifest
from tenants.archive.sealing import ArchiveKey
from tenants.files import upload_file, uploads_of
from tenants.imports import services
from tenants.imports.models import ArchiveUpload
from tenants.models import ProvisioningRun
from tests.tenants import killable
from tests.tenants.archive.conftest import archive_of
from tests.tenants.archive.test_refusals import of_manifest, rewritten
from tests.tenants.portal.conftest import make, rows
from tests.tenants.portal.test_businesses import Owned
from tests.tenants.portal.test_data import job
from tests.tenants.portal.test_upkeep import owned  # noqa: F401  # a fixture

PASSPHRASE = "correct horse battery"


@pytest.fixture
async def archive(site: Site, owned: Owned, tmp_path: Path) -> tuple[Path, Manifest, ArchiveKey]:  # noqa: F811
    """One of the owner's business."""
    key = await ArchiveKey.of(PASSPHRASE)
    tenant = await site.world.directory.by_id(owned.id)
    assert tenant is not None
    return tmp_path / "a.zip", await archive_of(site.world, tenant, tmp_path / "a.zip", key), key


async def sent(owner: httpx.AsyncClient, file: Path, name: str = "mine.zip") -> httpx.Response:
    """As a plain form sends it."""
    with file.open("rb") as stream:
        return await owner.post("/imports", files={"archive": (name, stream, "application/zip")})


async def checked(site: Site, owner: httpx.AsyncClient, file: Path) -> str:
    """Send an archive and do what the worker does; the path of its page."""
    answer = await sent(owner, file)
    assert answer.status_code == 303, answer.text
    page = str(answer.headers["location"])
    async with site.world.databases.transaction(site.world.platform) as session:
        await job(site, "tenants.check_upload").body(session, UUID(page.rpartition("/")[2]))
    return page


def ordered(slug: str, **changed: str) -> dict[str, str]:
    """What the last form sends."""
    return {"name": "Again", "slug": slug, "passphrase": PASSPHRASE} | changed


async def test_an_archive_becomes_a_business_with_the_same_checksums(
    site: Site,
    owned: Owned,  # noqa: F811
    archive: tuple[Path, Manifest, ArchiveKey],
) -> None:
    """Sent, checked, looked at, confirmed, made: every table and file is as it was."""
    file, manifest, key = archive
    answer = await sent(owned.owner, file, "C:\\Users\\Lia\\mine.zip")
    page = answer.headers["location"]
    waiting = await owned.owner.get(page)
    assert f"{page}/events" in waiting.text
    assert "mine.zip" in waiting.text
    assert "Users" not in waiting.text
    page = await checked(site, owned.owner, file)
    shown = await owned.owner.get(page)
    for said in ("Lia&#39;s Wheels", owned.slug, "Car hire", "rows", "Europe/Lisbon"):
        assert said in shown.text, said
    assert (await owned.owner.get("/imports")).headers["location"] == page
    slug = f"again-{secrets.token_hex(5)}"
    for wrong, said in [
        (ordered(slug, passphrase="another horse battery"), "does not open the archive"),
        (ordered("acme"), "is taken"),
        (ordered("www"), "reserved"),
    ]:
        refused = await owned.owner.post(f"{page}/order", data=wrong)
        assert refused.status_code == 422, wrong
        assert said in refused.text
        assert 'value="Again"' in refused.text
    made = await owned.owner.post(f"{page}/order", data=ordered(slug))
    assert made.status_code == 303
    assert (await owned.owner.get(page)).headers["location"] == made.headers["location"]
    assert "Building Again" in (await owned.owner.get(made.headers["location"])).text
    again = await owned.owner.post(f"{page}/order", data=ordered(f"{slug}-2"))
    assert again.status_code == 422, "an archive is used once"
    business = await make(site.world, slug)
    assert "Again is open" in (await owned.owner.get(made.headers["location"])).text
    tenant = await site.world.directory.by_id(business)
    assert tenant is not None
    back = await archive_of(site.world, tenant, file.with_name("b.zip"), key)
    assert back.tables == manifest.tables
    assert back.files == manifest.files
    assert (await owned.owner.post(f"/businesses/{business}/open")).status_code == 200
    left = upload_file(site.world.settings, UUID(page.rpartition("/")[2]))
    assert not left.exists(), "the archive is removed once it is used"


async def test_whoever_imports_owns_what_is_made(
    site: Site,
    archive: tuple[Path, Manifest, ArchiveKey],
) -> None:
    """Somebody else with the file and the passphrase, who was nobody there."""
    file = archive[0]
    async with await site.person(site.world.platform, Role.MEMBER) as somebody:
        page = await checked(site, somebody, file)
        slug = f"mine-{secrets.token_hex(5)}"
        made = await somebody.post(f"{page}/order", data=ordered(slug))
        assert made.status_code == 303, made.text
        business = await make(site.world, slug)
        assert (await somebody.get(f"/businesses/{business}/upkeep")).status_code == 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda n, c: c[:-1] if n == "data/users.jsonl" else c, "data/users.jsonl"),
        (lambda n, c: None if n == "data/users.jsonl" else c, "data/users.jsonl is missing"),
        (of_manifest(format=2), "manifest.json is newer than this software"),
        (of_manifest(plugins={"spaceship": "1"}), "spaceship is not installed here"),
        (of_manifest(lines={"core": "core_9999"}), "core core_9999 is newer"),
        (of_manifest(lines={"car_hire": "car_hire_0001"}), "one product alone"),
    ],
)
async def test_what_cannot_be_used_is_refused_with_the_reason(
    site: Site,
    owned: Owned,  # noqa: F811
    archive: tuple[Path, Manifest, ArchiveKey],
    change: Any,
    said: str,
) -> None:
    """Named on the page; the file goes at once, and nothing can be made of it."""
    bad = rewritten(archive[0], archive[0].with_name("bad.zip"), change)
    page = await checked(site, owned.owner, bad)
    shown = await owned.owner.get(page)
    assert "This archive cannot be used" in shown.text
    assert said in shown.text
    assert not upload_file(site.world.settings, UUID(page.rpartition("/")[2])).exists()
    slug = f"never-{secrets.token_hex(5)}"
    order = await owned.owner.post(f"{page}/order", data=ordered(slug))
    assert order.status_code >= 400
    assert not await rows(site.world, "SELECT 1 FROM tenants WHERE slug = :slug", slug=slug)
    assert (await owned.owner.post(f"{page}/remove")).headers["location"] == "/imports"
    assert (await owned.owner.get("/imports")).status_code == 200


async def test_what_is_no_archive_is_refused(site: Site, owned: Owned, tmp_path: Path) -> None:  # noqa: F811
    """No file, an empty one, some other file, and a body that is no form."""
    none = await owned.owner.post("/imports", data={"archive": ""})
    assert (none.status_code, "Choose a file." in none.text) == (422, True)
    (tmp_path / "empty.zip").touch()
    empty = await sent(owned.owner, tmp_path / "empty.zip")
    assert (empty.status_code, "Choose a file." in empty.text) == (422, True)
    torn = await owned.owner.post(
        "/imports",
        content=b"--x\r\nContent-Disposition: form-data; name=archive; filename=a\r\n\r\nabc",
        headers={"content-type": "multipart/form-data; boundary=x"},
    )
    assert (torn.status_code, "did not come whole" in torn.text) == (422, True)
    (tmp_path / "holiday.jpg").write_bytes(secrets.token_bytes(5000))
    page = await checked(site, owned.owner, tmp_path / "holiday.jpg")
    assert "is no archive, or it is damaged" in (await owned.owner.get(page)).text
    folder = upload_file(site.world.settings, owned.id).parent
    assert not list(folder.glob("*.part"))


async def test_others_do_not_see_an_archive(
    site: Site,
    owned: Owned,  # noqa: F811
    archive: tuple[Path, Manifest, ArchiveKey],
) -> None:
    """To everybody but its sender it does not exist."""
    page = await checked(site, owned.owner, archive[0])
    async with await site.person(site.world.platform, Role.MEMBER) as other:
        for method, path in [
            ("GET", page),
            ("GET", f"{page}/events"),
            ("POST", f"{page}/order"),
            ("POST", f"{page}/remove"),
        ]:
            answer = await other.request(method, path, data=ordered("stolen-shop"))
            assert answer.status_code == 404, path
    async with site.visitor(site.world.platform) as visitor:
        assert (await visitor.post("/imports", data={"a": "b"})).status_code in {303, 401}


async def test_an_archive_that_is_not_used_goes_after_a_day(
    site: Site,
    owned: Owned,  # noqa: F811
    archive: tuple[Path, Manifest, ArchiveKey],
) -> None:
    """With its row; the next one replaces it before that. One in use stays until it is used."""
    world, settings = site.world, site.world.settings
    first = UUID((await checked(site, owned.owner, archive[0])).rpartition("/")[2])
    second = UUID((await checked(site, owned.owner, archive[0])).rpartition("/")[2])
    assert not upload_file(settings, first).exists()
    assert upload_file(settings, second).exists()
    slug = f"later-{secrets.token_hex(5)}"
    await owned.owner.post(f"/imports/{second}/order", data=ordered(slug))
    third = UUID((await checked(site, owned.owner, archive[0])).rpartition("/")[2])
    async with world.databases.transaction(world.platform) as session:
        await session.execute(
            update(ArchiveUpload)
            .where(ArchiveUpload.id.in_((second, third)))
            .values(expires_at=now() - timedelta(seconds=1))
        )
    async with world.databases.transaction(world.platform) as session:
        await job(site, "tenants.tidy").body(session)
    assert upload_file(settings, second).exists(), "a business is still to be made of it"
    assert not upload_file(settings, third).exists()
    await make(world, slug)
    async with world.databases.transaction(world.platform) as session:
        await job(site, "tenants.tidy").body(session)
    left = await rows(
        world, "SELECT 1 FROM archive_uploads WHERE id = ANY(:ids)", ids=[second, third]
    )
    assert not left


@pytest.mark.parametrize("step", ["load", "discard"])
async def test_killed_at_any_step_the_import_is_finished_later(
    site: Site,
    owned: Owned,  # noqa: F811
    archive: tuple[Path, Manifest, ArchiveKey],
    step: str,
) -> None:
    """kill -9 as soon as a step has begun; the next run makes the same business of it."""
    world, (file, manifest, key) = site.world, archive
    page, slug = await checked(site, owned.owner, file), f"kept-{secrets.token_hex(5)}"
    await owned.owner.post(f"{page}/order", data=ordered(slug))
    async with world.databases.transaction(world.platform) as session:
        run_id = await session.scalar(
            select(ProvisioningRun.id)
            .join(ArchiveUpload, ArchiveUpload.tenant_id == ProvisioningRun.tenant_id)
            .where(ArchiveUpload.id == UUID(page.rpartition("/")[2]))
        )
    assert run_id is not None
    process = killable.provisioning(world.settings, run_id)
    try:
        assert await _begun(site, run_id, step)
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
        process.close()
    tenant = await world.provisioner.run(run_id)
    assert tenant.status == "active"
    back = await archive_of(world, tenant, file.with_name("b.zip"), key)
    assert back.tables == manifest.tables


async def _begun(site: Site, run_id: UUID, step: str) -> bool:
    query = "SELECT 1 FROM provisioning_steps WHERE run_id = :run AND name = :name AND attempts > 0"
    for _ in range(3000):
        if await rows(site.world, query, run=run_id, name=step):
            return True
        await asyncio.sleep(0.005)
    return False


async def _body(size: int) -> AsyncIterator[bytes]:
    yield b"--x\r\nContent-Disposition: form-data; name=archive; filename=big.zip\r\n\r\n"
    chunk = secrets.token_bytes(65_536)
    for _ in range(size // len(chunk)):
        yield chunk
    yield b"\r\n--x--\r\n"


async def test_memory_does_not_grow_with_the_file(site: Site, owned: Owned) -> None:  # noqa: F811
    """300 MB come in through the whole application, and leave no more than a few behind."""
    kind = {"content-type": "multipart/form-data; boundary=x"}
    await owned.owner.post("/imports", content=_body(5_000_000), headers=kind)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = await owned.owner.post("/imports", content=_body(300_000_000), headers=kind)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert answer.status_code == 303
    file = upload_file(site.world.settings, UUID(answer.headers["location"].rpartition("/")[2]))
    assert file.stat().st_size > 299_000_000
    assert grown < 20_000, f"{grown} KiB"
    await owned.owner.post(f"{answer.headers['location']}/remove")
    assert not file.exists()


async def test_an_archive_larger_than_allowed_is_refused(
    site: Site,
    owned: Owned,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Announced or not; nothing of it stays on disk."""
    monkeypatch.setattr(Settings, "import_bytes", 1_000_000)
    kind = {"content-type": "multipart/form-data; boundary=x"}
    for told in ({}, {"content-length": "2000000"}):
        answer = await owned.owner.post("/imports", content=_body(2_000_000), headers=kind | told)
        assert answer.status_code == 422
        assert "larger than 1 MB" in answer.text
    folder = upload_file(site.world.settings, owned.id).parent
    assert not list(folder.glob("*.part"))


async def test_who_begins_anew_leaves_nothing_of_the_first_behind(
    site: Site,
    owned: Owned,  # noqa: F811
    archive: tuple[Path, Manifest, ArchiveKey],
) -> None:
    """The second archive comes while the first does, in another tab: the first breaks off, and
    one that was half-written when a process died goes too."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        async for each in _body(3_000_000):
            yield each
            if not begun.is_set():
                begun.set()
                await go_on.wait()

    kind = {"content-type": "multipart/form-data; boundary=x"}
    first = asyncio.create_task(owned.owner.post("/imports", content=slowly(), headers=kind))
    await begun.wait()
    second = await sent(owned.owner, archive[0])
    go_on.set()
    broken = await first
    assert (broken.status_code, "did not come whole" in broken.text) == (422, True)
    await owned.owner.post(f"{second.headers['location']}/remove")
    assert not await _unknown(site), "files that nobody would ever remove"


async def test_files_of_nothing_known_go_with_the_rest(site: Site) -> None:
    """As of a business that was deleted before it was made of its archive."""
    folder = uploads_of(site.world.settings)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (f"{new_id()}.zip", f"{new_id()}.part"):
        (folder / name).write_bytes(b"customers")
    async with site.world.databases.transaction(site.world.platform) as session:
        await job(site, "tenants.tidy").body(session)
    assert not await _unknown(site)


async def test_an_archive_of_which_nothing_can_be_made_goes_after_some_days(
    site: Site,
    owned: Owned,  # noqa: F811
    archive: tuple[Path, Manifest, ArchiveKey],
) -> None:
    """Though its run is not done, and never will be."""
    world, page = site.world, await checked(site, owned.owner, archive[0])
    upload = UUID(page.rpartition("/")[2])
    made = await owned.owner.post(f"{page}/order", data=ordered(f"stuck-{secrets.token_hex(5)}"))
    assert made.status_code == 303
    async with world.databases.transaction(world.platform) as session:
        await session.execute(
            update(ArchiveUpload)
            .where(ArchiveUpload.id == upload)
            .values(expires_at=now() - services.TRIED_FOR)
        )
        await job(site, "tenants.tidy").body(session)
    assert not upload_file(world.settings, upload).exists()


async def test_one_account_makes_so_many_businesses_a_day(
    site: Site,
    archive: tuple[Path, Manifest, ArchiveKey],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is a schema, and as much of our disk as an archive may unpack to."""
    monkeypatch.setattr(services, "A_DAY", 1)
    async with await site.person(site.world.platform, Role.MEMBER) as somebody:
        for expected in (303, 422):
            page = await checked(site, somebody, archive[0])
            slug = f"many-{secrets.token_hex(5)}"
            made = await somebody.post(f"{page}/order", data=ordered(slug))
            assert made.status_code == expected
        assert "go on tomorrow" in made.text
        await somebody.post(f"{page}/remove")


async def _unknown(site: Site) -> set[str]:
    """Files among the archives that no row knows."""
    known = await rows(site.world, "SELECT id FROM archive_uploads")
    there = {each.stem for each in uploads_of(site.world.settings).glob("*")}
    return there - {str(each.id) for each in known}


async def test_other_forms_stay_small(site: Site, owned: Owned) -> None:  # noqa: F811
    """A megabyte is the most that any other route of the portal takes."""
    large = await owned.owner.post(owned.path("/settings"), data={"name": "x" * 1_100_000})
    assert large.status_code == 413
    unlimited = {
        str(handler)
        for route in site.edge.platform.routes + site.edge.tenants.routes
        for handler in getattr(route, "route_handlers", ())
        if handler.resolve_request_max_body_size() is None
    }
    taking = (".photograph", ".evidence", "photos.", "documents.")
    bounded = {each for each in unlimited if any(word in each for word in taking)}
    assert bounded, "core.storage.receiving bounds them by their area"
    assert len(unlimited - bounded) == 1, unlimited
