"""What the style sheets hold is used."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDERS = ("core", "tenants", "plugins")


def test_every_class_of_ours_is_used() -> None:
    """A class that no template, script or module names, whole or as a stem that a value ends, is
    left over: take it out."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    sheets = "".join(path.read_text() for path in files if path.suffix == ".css")
    users = "".join(p.read_text() for p in files if p.suffix in {".html", ".js", ".py"})
    rules = re.sub(r"/\*.*?\*/", "", sheets, flags=re.DOTALL)
    declared = set(re.findall(r"\.((?:at|po|ch)-[a-z0-9-]+)", rules))
    used = set(re.findall(r"(?<![\w-])(?:at|po|ch)-[a-z0-9-]+", users))
    stems = tuple(re.findall(r"(?<![\w-])((?:at|po|ch)-[a-z0-9-]*-)(?={{)", users))
    assert len(declared) > 100
    assert {each for each in declared - used if not each.startswith(stems)} == set()
