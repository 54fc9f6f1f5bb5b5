"""Texts a person reads: gettext, lazy where the reader is not known yet.

``_("…")`` marks a text and returns it lazily: it is translated when it is shown, in the
locale of whoever is reading (``reading_in``). Catalogues: ``core/locale`` and the ``locale``
folder of each plugin, added by ``load``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy, Translations

LazyText = LazyProxy

LOCALES: Final = ("en", "pt")
DEFAULT_LOCALE: Final = "en"

_locale: ContextVar[str] = ContextVar("locale", default=DEFAULT_LOCALE)
_catalogues: dict[str, Translations] = {}


def load(*folders: Path) -> None:
    """Read the catalogues (``LOCALE/LC_MESSAGES/messages.po``) of ``folders``.

    ``make env`` compiles them; one that is newer than its compiled form, or has none, is
    compiled in memory, so that nobody reads yesterday's texts.
    """
    for locale in LOCALES:
        merged = _catalogues.setdefault(locale, Translations())
        for folder in folders:
            found = _read(folder / locale / "LC_MESSAGES" / "messages.po", locale)
            if found is not None:
                merged.merge(found)


def _read(source: Path, locale: str) -> Translations | None:
    compiled = source.with_suffix(".mo")
    if compiled.is_file() and (
        not source.is_file() or compiled.stat().st_mtime >= source.stat().st_mtime
    ):
        with compiled.open("rb") as stream:
            return Translations(stream)
    if not source.is_file():
        return None
    made = BytesIO()
    with source.open("rb") as stream:
        write_mo(made, read_po(stream, locale=locale))
    made.seek(0)
    return Translations(made)


def locale() -> str:
    """The locale of whoever is reading now, such as ``pt``."""
    return _locale.get()


@contextmanager
def reading_in(code: str) -> Iterator[None]:
    """Within it, texts come out in the locale ``code`` (unknown ones fall back to English)."""
    token = _locale.set(code if code in LOCALES else DEFAULT_LOCALE)
    try:
        yield
    finally:
        _locale.reset(token)


def read_in(code: str) -> None:
    """From now on, texts of the present context come out in the locale ``code``: for the guard,
    which learns who is reading when the request is being served already."""
    _locale.set(code if code in LOCALES else DEFAULT_LOCALE)


def gettext(message: str) -> str:
    """``message`` in the reader's locale, now."""
    catalogue = _catalogues.get(_locale.get())
    return catalogue.ugettext(message) if catalogue else message


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form of a countable text that fits ``count``, in the reader's locale, now."""
    catalogue = _catalogues.get(_locale.get())
    if catalogue:
        return catalogue.ungettext(singular, plural, count)
    return singular if count == 1 else plural


def _(message: str) -> LazyText:
    """``message``, translated when it is shown."""
    return LazyProxy(gettext, message, enable_cache=False)


def in_every_locale(text: LazyText | str) -> dict[str, str]:
    """``text`` as each locale's readers see it: to be kept beyond the code that says it."""
    found = {}
    for code in LOCALES:
        with reading_in(code):
            found[code] = str(text)
    return found


def in_reading(texts: Mapping[str, str]) -> str:
    """Of what ``in_every_locale`` made, the text for whoever is reading now."""
    return texts.get(locale()) or texts.get(DEFAULT_LOCALE) or next(iter(texts.values()), "")


def fill(text: LazyText | str, **values: object) -> LazyText:
    """``text`` with its ``{names}`` replaced when it is shown; an f-string could not wait."""
    return LazyProxy(lambda: str(text).format(**values), enable_cache=False)
