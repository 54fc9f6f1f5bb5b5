"""The tests that guard the tenants are tested: every planted leak makes one of them fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leaks.planted import LEAKS, Leak

ROOT = Path(__file__).parents[2]
SOURCE = ("core", "tenants", "workers", "plugins", "atrium", "standin", "tests", "alembic", "bench")
AT_MOST = 240
"""Seconds for the tests of one leak, servers started and stopped."""


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_a_planted_leak_still_has_its_place(leak: Leak) -> None:
    """The source moves on: what cannot be planted any more would prove nothing."""
    assert (ROOT / leak.file).read_text().count(leak.before) == 1
    assert (ROOT / leak.proof.split()[0]).exists()


def test_there_are_forty() -> None:
    assert len({leak.name for leak in LEAKS}) >= 40


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The source once more, to do harm to."""
    folder = tmp_path_factory.mktemp("leaky")
    for name in SOURCE:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    yield folder
    shutil.rmtree(folder)


@pytest.mark.long
@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_a_planted_leak_is_noticed(copy: Path, leak: Leak) -> None:
    """The test that it names fails: not for want of the code, but of its protection."""
    file = copy / leak.file
    sound = file.read_text()
    file.write_text(sound.replace(leak.before, leak.after))
    try:
        code, said = _run(copy, leak.proof)
    finally:
        file.write_text(sound)
    assert code == pytest.ExitCode.TESTS_FAILED, f"nobody noticed:\n{said[-3000:]}"


def _run(folder: Path, proof: str) -> tuple[int, str]:
    where, _, words = proof.partition(" ")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", where]
    command += ["-k", words, "--tb=line"] if words else ["--tb=line"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=AT_MOST,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
