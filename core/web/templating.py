"""The one Jinja environment's making: for pages, and for letters, which no browser asks for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from core.flags.resolution import on_here
from core.i18n import gettext, ngettext
from core.ids import new_id
from core.web import formatting

CORE: Final = Path(__file__).parents[1]
_OURS: Final = tuple(CORE / part / "templates" for part in ("web", "mail", "auth"))


def translate(message: str, **values: object) -> str:
    """``_("Hello {name}", name=…)`` in a template; what it gives is escaped like any text."""
    text = gettext(message)
    return text.format(**values) if values else text


def translate_count(singular: str, plural: str, count: int, **values: object) -> str:
    """``ngettext("{count} car", "{count} cars", 3)`` in a template."""
    return ngettext(singular, plural, count).format(count=formatting.number(count), **values)


def environment(folders: Iterable[Path], *, reload: bool = False) -> Environment:
    """Templates of core and those in ``folders``; ``.html`` is escaped, ``.txt`` is not."""
    made = Environment(
        loader=FileSystemLoader([*_OURS, *folders]),
        autoescape=select_autoescape(("html",), default=True, disabled_extensions=("txt",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=reload,
    )
    made.filters.update(formatting.FILTERS)
    made.globals.update(
        _=translate,
        ngettext=translate_count,
        wall=formatting.wall,
        fresh_key=lambda: new_id().hex,
        flag=on_here,
    )
    return made
