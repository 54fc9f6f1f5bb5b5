"""Distributions of plugins: built as wheels, and tried where nothing else knows of them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BUILT_WITHIN = 120
TESTED_WITHIN = 300


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    said: str


def install(target: Path, *sources: Path) -> None:
    """Build the distributions in ``sources`` as wheels, and unpack them to ``target`` as pip does.

    Nothing is fetched: the builder and all that they need are those of this environment.

    Raises:
        subprocess.CalledProcessError: one cannot be built.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    offline = ["--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run(  # noqa: S603  # our own words
        [*pip, *offline, "--target", str(target), *map(str, sources)],
        check=True,
        timeout=BUILT_WITHIN,
    )


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
