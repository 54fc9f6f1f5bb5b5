"""What a plugin says of itself to those who are about to choose it, read from its declaration.

By convention, beside the module ``package``: ``about/LOCALE.md`` says at length what it does, in
Markdown, and ``static/screenshots/*.png`` show it, in the order of their names. A table says in
``info["keeps"]`` what it holds, a ``Schedule`` in its title what it does. Author and licence are
those of the distribution that brings it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from markupsafe import Markup
from sqlalchemy import Table

from core.db import Base
from core.folders import ENTRY_POINT_GROUP
from core.i18n import DEFAULT_LOCALE, LazyText, _, locale
from core.permissions import Role
from core.personal import PersonalData
from core.plugin import Plugin
from core.rhythm import often
from core.terms.text import rendered
from core.web.forms.schema import FieldSpec, fields_of

SCREENSHOTS: Final = "screenshots"
_SUBJECT: Final = re.compile(r'^Subject:.*?\b_\("([^"\\]+)"')
_VALUE: Final = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class Portrait:
    """A plugin, drawn."""

    plugin: Plugin

    @property
    def description(self) -> Markup | None:
        """What it does, at length, in the reader's language if it has been written in it."""
        for code in (locale(), DEFAULT_LOCALE):
            file = about_file(self.plugin, code)
            if file.is_file():
                return rendered(file.read_text(encoding="utf-8"))
        return None

    @property
    def screenshots(self) -> list[str]:
        """Its pictures, as names of static files."""
        return [
            f"{self.plugin.name}/{SCREENSHOTS}/{path.name}"
            for path in screenshot_files(self.plugin)
        ]

    @property
    def letters(self) -> list[str]:
        """The letters that it sends, by their subjects; dots stand for what differs."""
        folder = self.plugin.folder / "templates" / self.plugin.name / "mail"
        return sorted(_subject(path) for path in folder.glob("*.txt"))

    @property
    def settings(self) -> Sequence[FieldSpec]:
        """What a business may choose."""
        return list(fields_of(self.plugin.settings).values()) if self.plugin.settings else []

    @property
    def tables(self) -> list[tuple[LazyText | str, PersonalData | None]]:
        """What it keeps, table by table, each with what is said of the personal data in it."""
        told = {name: each for each in self.plugin.personal for name in each.tables}
        return [(kept_in(table), told.get(table.name)) for table in models_of(self.plugin)]

    @property
    def schedules(self) -> list[tuple[LazyText | str, str]]:
        """What it does by itself, and how often."""
        return [(each.title or each.actor.name, often(each.cron)) for each in self.plugin.schedules]

    @property
    def author(self) -> str | None:
        """Who made it, as its distribution says."""
        return self._said("Author", "Author-email")

    @property
    def licence(self) -> str | None:
        """Under which licence it comes, as its distribution says."""
        found = self._said("License-Expression", "License")
        return found.removeprefix("LicenseRef-") if found else None

    @staticmethod
    def holders(roles: frozenset[Role]) -> list[Role]:
        """Who has a permission from the start, the mightiest first."""
        return [role for role in Role if role in roles | {Role.OWNER, Role.ADMIN}]

    def _said(self, *names: str) -> str | None:
        """The first of ``names`` in what its distribution says of itself."""
        for entry in entry_points(group=ENTRY_POINT_GROUP, name=self.plugin.name):
            if entry.dist is not None:
                told = entry.dist.metadata
                return next((told[each] for each in names if each in told), None)
        return None


def models_of(plugin: Plugin) -> list[Table]:
    """Its tables, those that others refer to first."""
    return [each for each in Base.metadata.sorted_tables if each.info.get("line") == plugin.name]


def kept_in(table: Table) -> LazyText | str:
    """What a table holds, in words (``info["keeps"]``); its name where nobody wrote them."""
    found: LazyText | str = table.info.get("keeps") or table.name
    return found


def _subject(letter: Path) -> str:
    found = _SUBJECT.search(letter.read_text(encoding="utf-8"))
    return _VALUE.sub("…", str(_(found[1]))) if found else letter.stem.replace("_", " ")


def about_file(plugin: Plugin, code: str) -> Path:
    """Where the description in the locale ``code`` lies."""
    return plugin.folder / "about" / f"{code}.md"


def screenshot_files(plugin: Plugin) -> list[Path]:
    """Its pictures in the order in which they are shown."""
    return sorted((plugin.folder / "static" / SCREENSHOTS).glob("*.png"))
