"""Makes a plugin of the files that lie beside this module.

They are those of a plugin named ``sample_plugin``, word for word, so that what is made is what
was tested; ``.tmpl`` after each name keeps our own linters and translators from taking them for
parts of Atrium.
"""

from __future__ import annotations

import importlib.util
import keyword
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from core.agreement import Surroundings
from core.plugin import NAME
from tenants.installed import HOUSE, installed

_FILES: Final = Path(__file__).parent / "files"
_SUFFIX: Final = ".tmpl"
_LONGEST: Final = 40
"""Characters of a name: PostgreSQL's identifiers have 63, and constraints are named after it."""


class BadName(ValueError):
    """No plugin can bear this name; the message says why."""


def make(name: str, into: Path) -> Path:
    """Write the distribution of a new plugin to a folder of its own below ``into``.

    Raises:
        BadName: the name is malformed, or somebody else's.
        FileExistsError: the folder is there already.
    """
    for why in objections(name):
        raise BadName(why)
    folder = into / name.replace("_", "-")
    folder.mkdir(parents=True)
    for source in sorted(_FILES.rglob(f"*{_SUFFIX}")):
        target = folder / _renamed(source.relative_to(_FILES).as_posix(), name)
        target = target.with_name(target.name.removesuffix(_SUFFIX))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_renamed(source.read_text(encoding="utf-8"), name), encoding="utf-8")
    return folder


def objections(name: str) -> Iterator[str]:
    """Why no plugin of this name could be made here."""
    if not NAME.fullmatch(name) or len(name) > _LONGEST:
        yield (
            f"{name!r} is no name for a plugin: lower_snake_case of up to {_LONGEST} characters,"
            " such as guest_book"
        )
        return
    here = Surroundings.of(HOUSE, installed())
    prefix = name.replace("_", "-")
    if name in here.names or prefix in here.reserved:
        yield f"{name!r} is taken by Atrium itself: choose another name"
    elif name in installed().working:
        yield f"a plugin named {name!r} is installed already"
    elif keyword.iskeyword(name) or name in sys.stdlib_module_names or _is_importable(name):
        yield f"Python knows a module {name!r} already: choose another name"


def _is_importable(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _renamed(text: str, name: str) -> str:
    words = name.split("_")
    for sample, own in (
        ("sample_plugin", name),
        ("sample-plugin", "-".join(words)),
        ("Sample plugin", " ".join(words).capitalize()),
        ("SamplePlugin", "".join(map(str.capitalize, words))),
    ):
        text = text.replace(sample, own)
    return text
