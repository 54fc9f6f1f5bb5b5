"""Which folders have a catalogue of their own, and which texts belong into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from core.i18n import DEFAULT_LOCALE, LOCALES

ROOT: Final = Path(__file__).parents[2]
_METHODS: Final = [
    ("**/node_modules/**", "ignore"),
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2.ext:babel_extract"),
    ("**/templates/**.txt", "jinja2.ext:babel_extract"),
]
_KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2)}
TRANSLATED: Final = tuple(code for code in LOCALES if code != DEFAULT_LOCALE)


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of ``sources``, whose catalogues lie in ``home/locale``."""

    home: Path
    sources: tuple[Path, ...]

    def file(self, locale: str) -> Path:
        """The catalogue in ``locale``."""
        return self.home / "locale" / locale / "LC_MESSAGES" / "messages.po"

    def extracted(self) -> Catalog:
        """Every text that the sources mark, without its place: places change too often."""
        found = Catalog(charset="utf-8")
        for source in self.sources:
            options = {"**/templates/**": {"trimmed": "true"}}
            for _, _, message, comments, context in extract_from_dir(
                source, _METHODS, options, keywords=_KEYWORDS, comment_tags=("i18n:",)
            ):
                found.add(message, auto_comments=comments, context=context)
        return found

    def translated(self, locale: str) -> Catalog:
        """The catalogue in ``locale`` as it is on disk; empty where there is none."""
        file = self.file(locale)
        if not file.is_file():
            return Catalog(locale=locale, charset="utf-8")
        with file.open("rb") as stream:
            return read_po(stream, locale=locale)

    def update(self, locale: str) -> Catalog:
        """Bring the catalogue in ``locale`` up to date; new texts are empty, old ones go."""
        catalogue = self.translated(locale)
        dates = catalogue.creation_date, catalogue.revision_date
        catalogue.update(self.extracted(), no_fuzzy_matching=True)
        catalogue.creation_date, catalogue.revision_date = dates  # no change without a change
        catalogue.obsolete.clear()
        file = self.file(locale)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as stream:
            write_po(
                stream, catalogue, omit_header=False, no_location=True, sort_output=True, width=99
            )
        return catalogue


def all_texts() -> Iterator[Texts]:
    """Core's, the portal's (with what stands beside it) and each product's."""
    yield Texts(ROOT / "core", (ROOT / "core",))
    yield Texts(ROOT / "tenants" / "portal", (ROOT / "tenants", ROOT / "workers", ROOT / "atrium"))
    for folder in sorted((ROOT / "plugins").iterdir()):
        if (folder / "plugin.py").is_file():
            yield Texts(folder, (folder,))


def missing(catalogue: Catalog) -> list[str]:
    """The texts that ``catalogue`` does not translate."""
    found = []
    for message in catalogue:
        strings = message.string if isinstance(message.string, tuple | list) else [message.string]
        if message.id and not all(strings):
            found.append(message.id if isinstance(message.id, str) else message.id[0])
    return found
