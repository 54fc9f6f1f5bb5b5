"""A plugin from outside, installed as a wheel beside broken ones, extends car hire and conforms."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from atrium.testing.distributions import install, run

OUTSIDE = Path(__file__).parents[1] / "outside_plugin"
BROKEN = {
    "raises_early": ("plugin = Plugin(", 'raise RuntimeError("I am not ready")\nplugin = Plugin('),
    "from_the_future": ('core_versions=">=0.1,<1"', 'core_versions=">=99"'),
    "asks_too_much": ("version=1, hook=weekend", "version=7, hook=weekend"),
}
"""Plugins that cannot be here: what is changed of the one that can."""


def spoilt(name: str, folder: Path) -> Path:
    """The distribution once more, named ``name`` and broken in one way."""
    source = folder / name
    shutil.copytree(OUTSIDE, source)
    shutil.rmtree(source / "tests")
    (source / "weekend_rates").rename(source / name)
    old, new = BROKEN[name]
    for file in [each for each in source.rglob("*") if each.suffix in {".py", ".toml"}]:
        text = file.read_text().replace(old, new)
        for ours in ("weekend_rates", "weekend-rates"):
            text = text.replace(ours, name if "_" in ours else name.replace("_", "-"))
        file.write_text(text)
    return source


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which all were installed as wheels, and nothing else."""
    folder = tmp_path_factory.mktemp("outside")
    target = folder / "installed"
    install(target, OUTSIDE, *(spoilt(name, folder) for name in BROKEN))
    return target


def test_those_that_cannot_be_here_are_named_and_passed_over(installed: Path) -> None:
    """With the reason; everything else is there."""
    look = (
        "from tenants.installed import installed; found = installed()\n"
        "print(sorted(found.working)); print(*found.broken.items(), sep='\\n')"
    )
    said = run(installed, "-c", look, folder=installed).said
    assert "['car_hire', 'weekend_rates']" in said
    assert re.search(r"\('raises_early', '.*I am not ready", said)
    assert re.search(r"\('from_the_future', .*it works with Atrium >=99", said)
    assert re.search(r"\('asks_too_much', .*version 7", said)


def test_its_tests_and_the_conformance_checks_pass_beside_them(installed: Path) -> None:
    """The whole site is served with what is installed; car hire's prices are those it asks."""
    ended = run(
        installed, "-m", "pytest", "-q", "-m", "not browser", "-p", "no:cacheprovider",
        folder=OUTSIDE,
    )  # fmt: skip
    assert ended.code == 0, ended.said[-5000:]
    passed = re.search(r"(\d+) passed", ended.said)
    assert passed is not None
    assert int(passed[1]) >= 40
