"""Where the files of front-end packages lie: in a wheel beside this module, in a checkout where
npm has installed them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_PACKED: Final = _HERE / "_front_end"

FOLDER: Final = _PACKED if _PACKED.is_dir() else _HERE.parents[1] / "node_modules"
"""Below it each file has the path that it has in its package."""

FILES: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(
    (_HERE / "front_end.toml").read_text()
)
"""By namespace, the name at which a file is served and where it lies below ``FOLDER``."""
