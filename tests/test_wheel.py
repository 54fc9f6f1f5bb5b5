"""A wheel is the whole software: what `pip install atrium` brings needs no checkout and no npm."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

_LOOK = """
import core
from core import i18n
from core.plugin import discover
from core.web import front_end
from core.web.icons import icon
from core.web.static import Static
from tenants.migration.lines import compile_lines

plugins = discover()
static = Static(plugins)
print(core.__file__)
for namespace in ("core", "vendor"):
    for name in front_end.FILES[namespace]:
        print(static.url(f"{namespace}/{name}"))
assert "<path" in icon("car")
i18n.load(plugins.working["car_hire"].folder / "locale")
with i18n.reading_in("pt"):
    assert str(plugins.working["car_hire"].title) != "Car hire"
assert compile_lines(plugins).of_tenant(["car_hire"])
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, unpacked as pip would."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-index", "-w", str(folder), str(ROOT)], check=True, timeout=120)
    (wheel,) = folder.glob("atrium-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


def test_a_wheel_holds_pages_texts_migrations_and_front_end_files(unpacked: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    said = subprocess.run(
        [sys.executable, "-c", _LOOK],
        cwd=unpacked,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert said.returncode == 0, said.stderr
    where, *addresses = said.stdout.split()
    assert Path(where).is_relative_to(unpacked)
    assert len(addresses) == 7


def test_a_wheel_holds_nothing_of_development(unpacked: Path) -> None:
    assert not [name for name in ("standin", "tests", "bench") if (unpacked / name).exists()]
