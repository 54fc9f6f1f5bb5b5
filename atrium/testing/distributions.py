"""Distributions of plugins: built as wheels, and tried where nothing else knows of them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

BUILT_WITHIN = 120
TESTED_WITHIN = 300


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    said: str


def install(source: Path, target: Path) -> None:
    """Build the distribution in ``source`` as a wheel, and unpack it to ``target`` as pip does.

    Nothing is fetched: the builder and all that it needs are those of this environment.

    Raises:
        subprocess.CalledProcessError: it cannot be built.
    """
    with tempfile.TemporaryDirectory() as wheels:
        _pip("wheel", "-w", wheels, str(source))
        (wheel,) = Path(wheels).glob("*.whl")
        _pip("install", "--target", str(target), str(wheel))


def _pip(command: str, *arguments: str) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", command]
    offline = ["--no-deps", "--no-index"] + ["--no-build-isolation"] * (command == "wheel")
    subprocess.run([*pip, *offline, *arguments], check=True, timeout=BUILT_WITHIN)  # noqa: S603  # our own


def run(target: Path, *arguments: str, folder: Path, **variables: str) -> Ended:
    """Run Python with what is installed in ``target`` beside this environment's packages."""
    process = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(target)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TESTED_WITHIN,
        check=False,
    )
    return Ended(process.returncode, process.stdout)
