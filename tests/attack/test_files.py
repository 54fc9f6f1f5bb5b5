"""Attacks on whatever is stored as a file or as bytes: its key bears the tenant, and no other's
key, no path that climbs and no address whose time is over gets at it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final, get_type_hints
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import LargeBinary

from atrium.testing.routes import routes
from atrium.testing.site import Site
from atrium.testing.world import World
from core.clock import now
from core.db import Base
from core.ids import new_id
from core.logos import pictures
from core.logos import services as logos
from core.logos.models import Logo
from core.permissions import Role
from core.scope import NoScope, Tenant, acting_for
from core.storage import keys
from core.storage.disk import DiskStore
from core.storage.keys import Key
from tenants import files
from tests.tenants.portal.applicant import Applicant
from tests.tenants.portal.conftest import make

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = ("core", "tenants", "workers", "plugins", "atrium")
WRITES: Final = frozenset({
    "write_bytes", "write_text", "mkdir", "symlink_to", "fdopen", "TemporaryFile",
    "NamedTemporaryFile", "TemporaryDirectory", "mkdtemp", "mkstemp", "copyfile", "copytree",
    "copyfileobj",
})  # fmt: skip
WRITTEN: Final = {
    "atrium/api.py": "the list of the API, by a developer",
    "atrium/reference.py": "documentation, by a developer",
    "atrium/scaffold/making.py": "a new plugin, where its author says",
    "core/compute.py": "its answer, into a pipe",
    "core/crypto/master.py": "the installation's master key",
    "core/locale/catalogues.py": "translations, by a developer",
    "core/documents/drawing.py": "a folder of the computing process, gone with it",
    "core/storage/disk.py": "where its key says; test_every_key_bears_its_tenant",
    "core/storage/receiving.py": "a folder of the request's own, gone with it",
    "core/web/forms/streamed.py": "where a route says: upload_file",
    "tenants/archive/writing.py": "where archive_file says, or the operator's command",
    "tenants/imports/services.py": "the folder of upload_file",
    "tenants/seeding.py": "the demo's welcome, of the development machine",
}
"""Every module that writes files, and where to."""
ACCOUNTS: Final = {
    "upload_file": "an account's, asked for with it; test_streams, test_imports",
    "uploads_of": "the folder of these: only what nobody knows is removed from it",
}
"""What lies there before it is a tenant's."""
BYTES: Final = {
    "car_hire_calendar_feeds.address": "a keyed hash, in the tenant's scope",
    "car_hire_deposit_refusals.link": "a digest, in the tenant's scope",
    "car_hire_later_charges.link": "a digest, in the tenant's scope",
    "car_hire_reviews.link": "a digest, in the tenant's scope",
    "car_hire_waits.link": "a digest, in the tenant's scope",
    "car_hire_waits.offer_link": "a digest, in the tenant's scope",
    "databases.password": "the platform's, sealed: a login of ours",
    "exports.key": "the platform's, sealed, until the archive is written",
    "exports.salt": "the platform's: worth nothing without the passphrase",
    "idempotency_keys.request": "a digest, in the tenant's scope",
    "logos.body": "in the tenant's scope; test_a_logo_is_shown_at_home_alone",
    "mail_sender_keys.private": "the platform's, sealed for its tenant; tests/tenants/senders",
    "mails.recipient_mark": "a keyed hash, in the tenant's scope",
    "one_time_tokens.token_hash": "a digest, in the tenant's scope",
    "operator_tokens.token_hash": "a digest, of the platform's",
    "sessions.token_hash": "a digest, in the tenant's scope",
    "sign_up_drafts.token_hash": "a digest, of the platform's",
    "tenant_keys.wrapped": "in the tenant's scope, wrapped for it alone",
}
"""Every column of plain bytes (sealed ones are core.crypto's), and whose they are."""
CLIMBING: Final = (
    "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5cx",
    "%00", "x%00.png", "%2fetc%2fpasswd", "....%2f%2fetc%2fpasswd",
)  # fmt: skip


def writers() -> Iterator[str]:
    """Every module that has a call by which a file comes into being."""
    for folder in SOURCE:
        for file in sorted((ROOT / folder).rglob("*.py")):
            where = file.relative_to(ROOT).as_posix()
            if where.startswith(("atrium/testing", "atrium/up")):
                continue
            calls = [e for e in ast.walk(ast.parse(file.read_text())) if isinstance(e, ast.Call)]
            if any(map(_writes, calls)):
                yield where


def _writes(call: ast.Call) -> bool:
    name = ast.unparse(call.func).rpartition(".")[2]
    modes = [each.value for each in call.args if isinstance(each, ast.Constant)]
    if name in {"open", "ZipFile"}:
        return any(isinstance(m, str) and m[:1] in "wax" and len(m) < 4 and m for m in modes)
    return name in WRITES or ast.unparse(call.func) in {"shutil.copy", "shutil.move", "os.open"}


def test_every_module_that_writes_files_is_known() -> None:
    """A new place for files must say here whose they are."""
    assert set(writers()) == WRITTEN.keys()
    named = [
        file.relative_to(ROOT).as_posix()
        for folder in SOURCE
        for file in (ROOT / folder).rglob("*.py")
        if "files_dir" in file.read_text() and "testing" not in file.parts
    ]
    assert set(named) <= {
        "core/settings.py",
        "core/storage/opening.py",
        "tenants/files.py",
        "atrium/up/state.py",
    }


def test_bytes_are_kept_in_a_tenants_scope() -> None:
    """No table of the platform keeps files of tenants; a new column of bytes says what it is."""
    found = {
        f"{table.name}.{column.name}": table.info.get("line")
        for table in Base.metadata.tables.values()
        for column in table.columns
        if type(column.type) is LargeBinary and not table.name.startswith("test_")
    }
    assert found.keys() == BYTES.keys()
    assert found["logos.body"] == "core"


def test_every_key_bears_its_tenant(world: World) -> None:
    """Each function that says where files lie: never the same, never within another's."""
    places = [
        each
        for _, each in inspect.getmembers(files, inspect.isfunction)
        if each.__module__ == files.__name__
        and get_type_hints(each)["return"] is Path
        and each.__name__ not in ACCOUNTS
    ]
    assert len(places) >= 2
    shared = {"archive_id": new_id()}
    for place in places:
        wanted = list(inspect.signature(place).parameters)[2:]
        given = [shared[name] for name in wanted]
        found = {t.id: place(world.settings, t.id, *given) for t in world.tenants}
        for tenant_id, path in found.items():
            assert {str(tenant_id), tenant_id.hex} & set(path.parts), place
            for other_id, other in found.items():
                assert other_id == tenant_id or not path.is_relative_to(other), place
                assert path.resolve().is_relative_to(world.settings.files_dir.resolve())


@pytest.mark.parametrize("name", ["../../x", "..", "/etc", "a/../..", "", "car_hire/..", "a\0"])
def test_a_products_name_leads_nowhere_else(name: str) -> None:
    """Neither up nor out."""
    with pytest.raises(ValueError, match="name of a product"):
        keys.folder_of_plugin(name)


def test_no_object_is_within_anothers(world: World) -> None:
    """Nobody says whose an object is: it is the tenant's that is served."""
    file_id = new_id()
    found = {}
    for tenant in (*world.tenants, world.platform):
        with acting_for(tenant):
            found[tenant.id] = str(Key.here("car_hire.documents", file_id))
    assert len(set(found.values())) == len(found)
    assert all(f"tenants/{owner.hex}/" in key for owner, key in found.items())
    with pytest.raises(NoScope):
        Key.here("car_hire.documents", file_id)


@pytest.mark.parametrize(
    "path", ["../x", "a/../b", "/a", "a//b", "", "a\0", "a\\b", ".", "x" * 701]
)
def test_no_key_climbs(path: str) -> None:
    """Nor is it longer than a store takes."""
    with pytest.raises(ValueError, match="no path"):
        Key(UUID(int=1), path)


@pytest.mark.parametrize("area", ["documents", "a.b.c", "../x.y", "a.", ".a", "a./b", "A.b"])
def test_an_areas_name_leads_nowhere_else(area: str, world: World) -> None:
    with acting_for(world.acme), pytest.raises(ValueError, match="is not the name of"):
        Key.here(area, new_id())


async def test_an_archive_takes_no_link_along(tmp_path: Path) -> None:
    """What lies in a tenant's folder and leads to another's is not written out with it."""
    store = DiskStore(tmp_path)
    mine, theirs = store.folder(UUID(int=1)), store.folder(UUID(int=2))
    for folder in (mine, theirs):
        folder.mkdir(parents=True)
        (folder / "own.txt").write_text(f"of {folder.name}")
    (mine / "stolen.txt").symlink_to(theirs / "own.txt")
    (mine / "all").symlink_to(theirs)
    assert [each.key.path async for each in store.listed(UUID(int=1))] == ["own.txt"]


def _picture(color: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (40, 20), color).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("home", ["acme", "delta"], ids=["pooled", "dedicated"])
async def test_a_logo_is_shown_at_home_alone(site: Site, home: str) -> None:
    """Who knows its name finds it nowhere else, and who keeps one of that name there harms none."""
    mine: Tenant = getattr(site.world, home)
    others = [each for each in (*site.world.tenants, site.world.platform) if each is not mine]
    picture = await pictures.read(_picture("teal" if home == "acme" else "navy"))
    async with site.world.databases.transaction(mine) as session:
        address = await logos.keep(session, picture, ())
    forged = (await pictures.read(_picture("red"))).body
    for other in others:
        async with site.visitor(other) as thief:
            assert (await thief.get(address)).status_code == 404
            for climbing in (f"{mine.id.hex}%2f", f"..%2f{mine.slug}%2f", f"{mine.slug}/"):
                path = f"/brand/logo/{climbing}{picture.name}"
                assert (await thief.get(path)).status_code == 404
        async with site.world.databases.transaction(other) as session:
            session.add(  # poison: other bytes under the very same name
                Logo(name=picture.name, media_type="image/png", body=forged, kept_at=now())
            )
    async with site.visitor(mine) as visitor:
        assert (await visitor.get(address)).content == picture.body


async def test_no_path_climbs(site: Site) -> None:
    """Whatever is asked for by a name, and static files."""
    for tenant, app in [
        (site.world.acme, site.edge.tenants),
        (site.world.delta, site.edge.tenants),
        (site.world.platform, site.edge.platform),
    ]:
        async with await site.person(tenant, Role.OWNER) as owner:
            named = [r for r in routes(app) if str in r.parameters.values() and r.method == "GET"]
            assert named
            paths = ["/static/x", *(route.at() for route in named)]
            for path in paths:
                for climbing in CLIMBING:
                    asked = f"{path.rpartition('/')[0]}/{climbing}"
                    answer = await owner.get(asked)
                    assert answer.status_code < 500, asked
                    assert "root:" not in answer.text


async def test_an_archive_is_fetched_by_its_owner_while_it_is_there(site: Site) -> None:
    """The address of a download is no secret: it is worth nothing to another account, at another
    business, to whoever has signed out, or once the file is over."""
    world = site.world
    mine, theirs = [Applicant.at(site) for _ in range(2)]
    ids = []
    for each in (mine, theirs):
        await each.fill()
        await each.submit()
        ids.append(await make(world, each.slug))
    passphrase = {"passphrase": "a passphrase, long enough"}
    for each, business in zip((mine, theirs), ids, strict=True):
        await each.client.post(f"/businesses/{business}/upkeep/export", data=passphrase)
    address = f"/businesses/{ids[0]}/upkeep/export/download"
    async with site.visitor(world.platform) as nobody:
        assert (await nobody.get(address)).status_code == 303
    for at in (address, f"/businesses/{ids[0]}/upkeep/export/events"):
        assert (await theirs.client.get(at)).status_code == 404
    folder = files.archives_of(world.settings, ids[0])
    planted = folder / f"{new_id()}.zip"
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_bytes(b"another's")
    assert (await mine.client.get(address)).status_code == 404  # ours is not ready
    for name in (planted.stem, f"..%2f{ids[1].hex}%2fx"):
        assert (await mine.client.get(f"{address}/{name}")).status_code == 404
