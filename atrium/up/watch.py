"""Which source files have changed: of Atrium, and of every installed plugin.

It looks once a second instead of asking the kernel to be told: that works on every file system,
containers and editors that write by renaming included, and needs no package.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from atrium.up.servers import ROOT

EVERY: Final = 1.0
"""Seconds between two looks; a save of many files is one change."""
_OURS: Final = ("alembic", "atrium", "core", "plugins", "tenants", "workers")
_SUFFIXES: Final = frozenset(
    {".py", ".html", ".txt", ".css", ".js", ".mjs", ".svg", ".po", ".sql", ".toml"}
)
_GROUP: Final = "atrium.plugins"

Seen = dict[Path, tuple[int, int]]


def folders() -> set[Path]:
    """Where sources lie. A plugin is found without importing it: it may not be importable."""
    found = {ROOT / name for name in _OURS}
    for entry in entry_points(group=_GROUP):
        spec = importlib.util.find_spec(entry.value.split(":")[0].split(".")[0])
        found |= {Path(each) for each in (spec and spec.submodule_search_locations) or ()}
    return found


def look(where: set[Path]) -> Seen:
    """Size and time of every source file."""
    return {file: seen for folder in where for file, seen in _files(folder)}


async def changes(where: set[Path] | None = None) -> set[Path]:
    """Wait until files have changed, appeared or gone; which."""
    before = await asyncio.to_thread(look, where or folders())
    while True:
        await asyncio.sleep(EVERY)
        after = await asyncio.to_thread(look, where or folders())
        if changed := {file for file, _ in before.items() ^ after.items()}:
            return changed


def _files(folder: Path) -> Iterator[tuple[Path, tuple[int, int]]]:
    for file in folder.rglob("*"):
        if file.suffix in _SUFFIXES:
            try:
                status = file.stat()
            except FileNotFoundError:  # an editor's own, gone already
                continue
            yield file, (status.st_size, status.st_mtime_ns)
