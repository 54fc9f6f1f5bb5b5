"""An archive that a stranger has sent: nothing in it is trusted, and memory stays as it is."""

from __future__ import annotations

import re
import resource
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from atrium.testing.site import Site
from core.db import Base
from core.scope import Tenant
from tenants.archive.manifest import NAME
from tenants.archive.reading import Archive, BadArchive
from tenants.archive.sealing import ArchiveKey
from tenants.archive.tables import FORMER, SELDOM_MAPPED
from tenants.archive.vetting import Bomb, Summary, harmless, vet
from tests.tenants.archive.conftest import archive_of
from tests.tenants.archive.test_refusals import of_manifest, rewritten

GIGABYTE = 1_000_000_000


@pytest.fixture(scope="module")
async def archive(site: Site, shop: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good one."""
    to = tmp_path_factory.mktemp("archive") / "good.zip"
    await archive_of(site.world, shop, to, await ArchiveKey.of("correct horse battery"))
    return to


def vetted(site: Site, path: Path, most: int = GIGABYTE) -> Summary:
    """What the portal does with what it is sent."""
    world = site.world
    with Archive.open(path) as archive:
        return vet(archive, world.plugins, world.lines, path.stat().st_size, most)


def changed(change: Callable[[Any], None]) -> Callable[[str, bytes], bytes]:
    """The manifest after ``change``."""

    def rewrite(name: str, content: bytes) -> bytes:
        if name != NAME:
            return content
        manifest = msgspec.json.decode(content)
        change(manifest)
        return msgspec.json.encode(manifest)

    return rewrite


def test_a_good_one_says_what_is_in_it(site: Site, archive: Path, shop: Tenant) -> None:
    """From which business, when, and how much of each product."""
    found = vetted(site, archive)
    assert (found.slug, found.name, found.currency) == (shop.slug, shop.name, "EUR")
    assert [each.line for each in found.portions] == ["core", "car_hire"]
    assert found.portions[1].rows > 30
    assert found.files > 2
    assert found.made_at.tzinfo is not None


def _rename(name: str) -> Callable[[Any], None]:
    def change(manifest: Any) -> None:
        table = manifest["tables"][0]
        table["name"] = name
        table["rows"]["path"], table["sheet"]["path"] = f"data/{name}.jsonl", f"sheets/{name}.csv"

    return change


def _set(*way: Any) -> Callable[[Any], None]:
    *path, last, value = way

    def change(manifest: Any) -> None:
        here = manifest
        for step in path:
            here = here[step]
        here[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _rename("tenant_keys"),
        _rename("sessions"),
        _rename("pg_authid"),
        _rename("tenants"),
        _rename('x" CASCADE; --'),
        _set("tables", 0, "line", "car_hire"),
        _set("tables", 0, "rows", "path", "data/../../etc/passwd"),
        _set("tables", 0, "sealed", ["nobody"]),
        _set("tables", 0, "count", -1),
        _set("tables", 0, "rows", "size", -5),
        _set("files", 0, "path", "files/../../evil"),
        _set("files", 0, "path", "files//etc/evil"),
        _set("files", 0, "path", "files/"),
        _set("files", 0, "path", "files/x\0y"),
        _set("files", 0, "path", "files/./x"),
        _set("files", 0, "path", "files/" + "a/" * 40 + "x"),
        _set("files", 0, "path", "files/" + "é" * 150),
        _set("files", 0, "path", "manifest.json"),
        _set("tenant", "name", "x" * 200),
        _set("tenant", "name", "a\nb"),
        _set("tenant", "slug", "../admin"),
        _set("tenant", "zone", "../../etc/localtime"),
        _set("tenant", "currency", "XXQ"),
        _set("tenant", "locale", "xx"),
        _set("tenant", "country", "Portugal"),
        _set("off", ["nobody"]),
        _set("made_at", "yesterday"),
        _set("made_at", "2026-01-01T00:00:00"),
        lambda m: m["lines"].pop("core"),
        lambda m: m["lines"].update(platform="platform_0001"),
        lambda m: m["lines"].pop("car_hire"),
        lambda m: m["tables"].append(m["tables"][0]),
        lambda m: m["files"].append(m["files"][0] | {"path": m["files"][0]["path"] + "/inside"}),
    ],
)
def test_what_we_would_never_write_is_refused(
    site: Site, archive: Path, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    """Tables that are not an owner's to fill, paths that lead out, values that nobody has."""
    with pytest.raises(BadArchive):
        vetted(site, rewritten(archive, tmp_path / "bad.zip", changed(change)))


def test_a_look_of_somebody_elses_making_is_left_out(archive: Path) -> None:
    """Colour and logo stand in every page of the business."""
    with Archive.open(archive) as opened:
        about = opened.manifest.tenant
    evil = msgspec.structs.replace(about, color="red;}body{}", logo="https://evil.example/x.png")
    assert (harmless(evil).color, harmless(evil).logo) == (None, None)
    ours = msgspec.structs.replace(about, color="#123abc", logo=f"/brand/logo/{'a' * 32}.png")
    assert harmless(ours) == ours


def test_what_would_burst_is_refused_before_it_is_unpacked(
    site: Site, archive: Path, tmp_path: Path
) -> None:
    """By what it says of itself; and what says less than it is, stops where it should have."""

    def claim(manifest: Any) -> None:
        manifest["files"][0]["size"] = 200 * GIGABYTE

    with pytest.raises(Bomb):
        vetted(site, rewritten(archive, tmp_path / "claims.zip", changed(claim)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bomb = tmp_path / "lies.zip"
    with (
        zipfile.ZipFile(archive) as good,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for name in good.namelist():
            if name != "data/users.jsonl":
                bad.writestr(name, good.read(name))
        with bad.open("data/users.jsonl", "w", force_zip64=True) as stream:
            for _ in range(300):
                stream.write(bytes(1_000_000))
    vetted(site, bomb)
    with Archive.open(bomb) as opened, pytest.raises(BadArchive, match=r"users\.jsonl"):
        opened.check()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_a_manifest_that_inflates_is_not_read(site: Site, tmp_path: Path) -> None:
    """Its header says a hundred bytes, its stream holds gigabytes of nothing."""
    bomb = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as bad,
        bad.open(NAME, "w", force_zip64=True) as stream,
    ):
        for _ in range(500):
            stream.write(b" " * 1_000_000)
    content = bytearray(bomb.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 100)  # the size in the list of files
    bomb.write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadArchive):
        vetted(site, bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


def test_a_list_of_files_without_end_is_not_read(site: Site, tmp_path: Path) -> None:
    """The zip's end says that the list is 100 MB long."""
    bad = tmp_path / "list.zip"
    size = 100_000_000
    with bad.open("wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 65535, 65535, size, 0, 0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadArchive, match=r"list\.zip"):
        vetted(site, bad)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(
    site: Site, archive: Path, tmp_path: Path, method: int
) -> None:
    """They unpack into memory as far as the sender likes."""
    with zipfile.ZipFile(archive) as good, zipfile.ZipFile(tmp_path / "x.zip", "w", method) as bad:
        for name in good.namelist():
            bad.writestr(name, good.read(name))
    with pytest.raises(BadArchive, match="packed in another way"):
        vetted(site, tmp_path / "x.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused(site: Site, archive: Path, tmp_path: Path) -> None:
    """Which of them was checked, and which would be used?"""
    bad = rewritten(archive, tmp_path / "twice.zip", of_manifest())
    with zipfile.ZipFile(bad, "a") as opened:
        opened.writestr("data/users.jsonl", b"{}")
    vetted(site, bad)
    with Archive.open(bad) as found, pytest.raises(BadArchive, match="twice"):
        found.check()


def test_a_path_of_many_folders_costs_nothing(site: Site, archive: Path, tmp_path: Path) -> None:
    """A kilobyte of zip names a file in six thousand folders: to compare all of them with each
    other takes hundreds of megabytes."""
    deep = _set("files", 0, "path", "files/" + "a/" * 6_000 + "x")
    bad = rewritten(archive, tmp_path / "deep.zip", changed(deep))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadArchive) as refused:
        vetted(site, bad)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
    assert len(str(refused.value.message)) < 300, "it is kept, and shown"


def test_what_no_page_and_no_database_takes_is_not_passed_on(
    site: Site, archive: Path, tmp_path: Path
) -> None:
    """PostgreSQL keeps no NUL: the check would fail again and again, and never say why."""

    def strange(manifest: Any) -> None:
        manifest["software"] = "1\0.0"
        manifest["plugins"]["car_hire"] = "2\0.0\n"

    found = vetted(site, rewritten(archive, tmp_path / "nul.zip", changed(strange)))
    assert found.software.isprintable()
    assert all(each.version.isprintable() for each in found.portions)
    path = _set("files", 0, "path", "files/x\0y")
    with pytest.raises(BadArchive) as refused:
        vetted(site, rewritten(archive, tmp_path / "path.zip", changed(path)))
    assert str(refused.value.message).isprintable()


_CREATES = re.compile(r"CREATE TABLE (\w+)")


def test_an_archive_of_an_earlier_revision_may_have_tables_of_then(
    site: Site, archive: Path, tmp_path: Path
) -> None:
    """Whatever table a line ever made is a model's, or known as a former one."""

    def add(manifest: Any) -> None:
        part = manifest["tables"][0]
        manifest["tables"].append(
            part
            | {"name": "usage_limits", "line": "core", "sealed": [], "count": 0}
            | {"rows": part["rows"] | {"path": "data/usage_limits.jsonl"}}
            | {"sheet": part["sheet"] | {"path": "sheets/usage_limits.csv"}}
        )

    vetted(site, rewritten(archive, tmp_path / "old.zip", changed(add)))
    made = {
        table
        for line in site.world.lines.of_tenant(tuple(site.world.plugins.working))
        for revision in line.revisions
        for statement in revision.statements
        for table in _CREATES.findall(statement)
    }
    assert made - set(Base.metadata.tables) - SELDOM_MAPPED == set(FORMER)
