"""Where the installed plugins lie, told without importing them: for whom their files are enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import structlog

ENTRY_POINT_GROUP: Final = "atrium.plugins"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PluginFiles:
    """An installed plugin, whether or not it works, and the folder that its files are in."""

    name: str
    folder: Path


def plugin_files() -> Iterator[PluginFiles]:
    """Every installed plugin. One that cannot be found is named, and passed over."""
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        try:
            yield PluginFiles(entry.name, folder_of(entry))
        except Exception:  # a stranger's package may raise anything at import
            log.exception("plugin.not_found", plugin=entry.name)


def folder_of(entry: EntryPoint) -> Path:
    """The folder of the module that ``entry`` names; only the packages above it are imported.

    Raises:
        ModuleNotFoundError: there is no such module.
    """
    spec = find_spec(entry.module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {entry.module!r}", name=entry.module)
    return Path(spec.origin).parent
