"""Tabler's outline icons, inlined where they stand: no sprite to load, none that is not used."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup, escape

from core.web import front_end

_FOLDER: Final = front_end.FOLDER / front_end.FILES["beside"]["icons"]
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_BODY: Final = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


class UnknownIcon(LookupError):
    """No such icon in Tabler's set."""


@cache
def _paths(folder: Path, name: str) -> str:
    file = folder / f"{name}.svg"
    if not _NAME.fullmatch(name) or not file.is_file():
        if folder.is_dir():
            raise UnknownIcon(f"{name!r} is not an outline icon of Tabler's")
        return ""  # the front-end packages are not installed: pages work without pictures
    found = _BODY.search(file.read_text())
    assert found is not None
    return " ".join(found[1].split())


def icon(name: str, *, size: int = 20, label: str | None = None, css: str = "") -> Markup:
    """The icon ``name`` as inline SVG; without a ``label`` it is hidden from screen readers.

    Raises:
        UnknownIcon: if Tabler has none of that name.
    """
    spoken = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(  # noqa: S704  # drawn by Tabler and us; the label is escaped
        f'<svg class="icon {escape(css)}" {spoken} width="{size}" height="{size}"'
        ' viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        f' stroke-linecap="round" stroke-linejoin="round">{_paths(_FOLDER, name)}</svg>'
    )
