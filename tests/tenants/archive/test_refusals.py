"""What is damaged, newer or strange is refused before anything is made, and the file is named."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from atrium.testing.site import Site
from core.errors import Invalid
from core.ids import new_id
from core.scope import Tenant
from core.storage.disk import DiskStore
from tenants.archive.manifest import NAME
from tenants.archive.reading import Archive, BadArchive
from tenants.archive.sealing import ArchiveKey
from tests.tenants.archive.conftest import archive_of

CLIENTS = "data/car_hire_customers.jsonl"


@pytest.fixture(scope="module")
async def archive(site: Site, shop: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good one."""
    to = tmp_path_factory.mktemp("archive") / "good.zip"
    await archive_of(site.world, shop, to, await ArchiveKey.of("correct horse battery"))
    return to


def rewritten(
    archive: Path, to: Path, change: Callable[[str, bytes], bytes | None], **added: bytes
) -> Path:
    """The archive with each file as ``change`` gives it (None leaves it out)."""
    with zipfile.ZipFile(archive) as good, zipfile.ZipFile(to, "w") as bad:
        for name in good.namelist():
            content = change(name, good.read(name))
            if content is not None:
                bad.writestr(name, content)
        for name, content in added.items():
            bad.writestr(name, content)
    return to


def of_manifest(**changed: Any) -> Callable[[str, bytes], bytes]:
    """Changes of the manifest's own fields."""

    def change(name: str, content: bytes) -> bytes:
        if name != NAME:
            return content
        return msgspec.json.encode(msgspec.json.decode(content) | changed)

    return change


def examine(site: Site, path: Path) -> None:
    """What every import does first."""
    with Archive.open(path) as archive:
        archive.insist_on_software(site.world.plugins, site.world.lines)
        archive.check()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda n, c: c.replace(b"a", b"b", 1) if n == CLIENTS else c, CLIENTS),
        (lambda n, c: c[:-10] if n == CLIENTS else c, CLIENTS),
        (lambda n, c: None if n == CLIENTS else c, f"{CLIENTS} is missing"),
        (lambda n, c: c + b"!" if n.endswith("front.jpg") else c, "files/vehicles/front.jpg"),
        (lambda n, c: None if n == NAME else c, f"{NAME} is missing"),
        (lambda n, c: b"{" if n == NAME else c, f"{NAME} is damaged"),
        (of_manifest(format=2), f"{NAME} is newer"),
        (of_manifest(format=2, tables="changed beyond recognition"), f"{NAME} is newer"),
        (of_manifest(lines={"core": "core_9999"}), "core core_9999 is newer"),
        (of_manifest(plugins={"spaceship": "1"}), "spaceship is not installed"),
    ],
)
async def test_what_is_not_right_is_named(
    site: Site, archive: Path, tmp_path: Path, change: Any, said: str
) -> None:
    """Each file, when it is changed, cut, missing or newer."""
    bad = rewritten(archive, tmp_path / "bad.zip", change)
    with pytest.raises(BadArchive) as refused:
        examine(site, bad)
    assert said in str(refused.value)


async def test_a_file_too_many_is_named(site: Site, archive: Path, tmp_path: Path) -> None:
    """What the manifest does not know was put there by somebody else."""
    bad = rewritten(archive, tmp_path / "bad.zip", lambda n, c: c, **{"files/extra.exe": b"x"})
    with pytest.raises(BadArchive, match=r"files/extra.exe is not in the manifest"):
        examine(site, bad)


@pytest.mark.parametrize("at", [0.2, 0.4, 0.8])
def test_a_flipped_byte_is_noticed(site: Site, archive: Path, tmp_path: Path, at: float) -> None:
    """Wherever it is in what the archive holds."""
    bad = tmp_path / "bad.zip"
    content = bytearray(archive.read_bytes())
    content[int(len(content) * at)] ^= 0x55
    bad.write_bytes(content)
    with pytest.raises(BadArchive):
        examine(site, bad)


def test_half_an_archive_is_none(site: Site, archive: Path, tmp_path: Path) -> None:
    """As a download that broke off leaves it."""
    bad = tmp_path / "half.zip"
    bad.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(BadArchive, match=r"half.zip"):
        examine(site, bad)


async def test_a_path_cannot_lead_out(archive: Path, tmp_path: Path) -> None:
    """Not with dots, nor from the root."""
    for path in ("files/../../evil", "files//etc/evil", "data/x"):

        def change(name: str, content: bytes, path: str = path) -> bytes:
            if name != NAME:
                return content
            manifest = msgspec.json.decode(content)
            manifest["files"][0]["path"] = path
            return msgspec.json.encode(manifest)

        bad = rewritten(archive, tmp_path / "bad.zip", change)
        with Archive.open(bad) as opened, pytest.raises(BadArchive, match="leads out"):
            await opened.pour_files(DiskStore(tmp_path / "here"), new_id())
    assert not (tmp_path / "evil").exists()


async def test_only_the_passphrase_opens_it(archive: Path, tmp_path: Path) -> None:
    """Another one, or one that is too short, is refused with its field."""
    shutil.copy(archive, tmp_path / "a.zip")
    with Archive.open(tmp_path / "a.zip") as opened:
        salt = await ArchiveKey.of("correct horse battery")
        with pytest.raises(Invalid) as refused:
            salt.insist_on(opened.manifest.lock)  # the right words with another salt
    assert refused.value.errors[0].field == "passphrase"
    with pytest.raises(Invalid):
        await ArchiveKey.of("too short")
