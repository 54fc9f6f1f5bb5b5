"""What a plugin says of itself to those who are about to choose it, read from its declaration.

By convention, beside the module ``package``: ``about/LOCALE.md`` says at length what it does, in
Markdown, and ``static/screenshots/*.png`` show it, in the order of their names. Author and licence
are those of the distribution that brings it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from markupsafe import Markup
from sqlalchemy import Table

from core.db import Base
from core.folders import ENTRY_POINT_GROUP
from core.i18n import DEFAULT_LOCALE, locale
from core.permissions import Role
from core.personal import PersonalData
from core.plugin import Plugin
from core.terms.text import rendered
from core.web.forms.schema import FieldSpec, fields_of

SCREENSHOTS: Final = "screenshots"


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
        """The letters that it sends, by the names of their templates."""
        folder = self.plugin.folder / "templates" / self.plugin.name / "mail"
        return sorted(path.stem.replace("_", " ") for path in folder.glob("*.txt"))

    @property
    def settings(self) -> Sequence[FieldSpec]:
        """What a business may choose."""
        return list(fields_of(self.plugin.settings).values()) if self.plugin.settings else []

    @property
    def tables(self) -> list[tuple[str, PersonalData | None]]:
        """Its tables in words, each with what is said of the personal data in it, if there is."""
        told = {name: each for each in self.plugin.personal for name in each.tables}
        return [(self._words(table.name), told.get(table.name)) for table in self._models()]

    @property
    def schedules(self) -> list[tuple[str, str]]:
        """The jobs that run by themselves, each with its five fields of cron."""
        return [
            (each.actor.name.partition(".")[2].replace("_", " "), each.cron)
            for each in self.plugin.schedules
        ]

    @property
    def author(self) -> str | None:
        """Who made it, as its distribution says."""
        return self._said("Author", "Author-email")

    @property
    def licence(self) -> str | None:
        """Under which licence it comes, as its distribution says."""
        return self._said("License-Expression", "License")

    @staticmethod
    def holders(roles: frozenset[Role]) -> list[Role]:
        """Who has a permission from the start, the mightiest first."""
        return [role for role in Role if role in roles | {Role.OWNER, Role.ADMIN}]

    def _models(self) -> Iterator[Table]:
        for table in Base.metadata.sorted_tables:
            if table.info.get("line") == self.plugin.name:
                yield table

    def _words(self, table: str) -> str:
        return table.removeprefix(f"{self.plugin.name}_").replace("_", " ")

    def _said(self, *names: str) -> str | None:
        """The first of ``names`` in what its distribution says of itself."""
        for entry in entry_points(group=ENTRY_POINT_GROUP, name=self.plugin.name):
            if entry.dist is not None:
                told = entry.dist.metadata
                return next((told[each] for each in names if each in told), None)
        return None


def about_file(plugin: Plugin, code: str) -> Path:
    """Where the description in the locale ``code`` lies."""
    return plugin.folder / "about" / f"{code}.md"


def screenshot_files(plugin: Plugin) -> list[Path]:
    """Its pictures in the order in which they are shown."""
    return sorted((plugin.folder / "static" / SCREENSHOTS).glob("*.png"))
