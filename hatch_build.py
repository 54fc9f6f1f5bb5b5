"""What a wheel carries beside the source: the front-end files, which npm has installed here."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontEnd(BuildHookInterface[Any]):
    """Lays every file that ``core/web/front_end.toml`` names below ``core/web/_front_end``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to hatchling.

        Raises:
            FileNotFoundError: the front-end packages or translations are not installed.
        """
        if version == "editable":
            return  # works on the checkout itself
        root = Path(self.root)
        listed = tomllib.loads((root / "core/web/front_end.toml").read_text())
        for files in listed.values():
            for path in files.values():
                source = root / "node_modules" / path
                if not source.exists():
                    raise FileNotFoundError(f"{source} is missing; run `make env` before building")
                build_data["force_include"][str(source)] = f"core/web/_front_end/{path}"
        packages = [root / name for name in self.build_config.packages]
        for texts in (each for name in packages for each in name.rglob("LC_MESSAGES/*.po")):
            if not texts.with_suffix(".mo").exists():
                raise FileNotFoundError(f"{texts} is not compiled; run `make env` before building")
