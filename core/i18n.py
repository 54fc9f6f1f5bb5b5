"""Texts a person reads: gettext, lazy where the reader is not known yet.

``_("…")`` marks a text and returns it lazily: it is translated when it is shown, in the
locale of whoever is reading (``reading_in``). Catalogues: ``core/locale`` and the ``locale``
folder of each plugin, added by ``load``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from babel.support import LazyProxy, Translations

LazyText = LazyProxy

LOCALES: Final = ("en", "pt")
DEFAULT_LOCALE: Final = "en"

_locale: ContextVar[str] = ContextVar("locale", default=DEFAULT_LOCALE)
_catalogues: dict[str, Translations] = {}


def load(*folders: Path) -> None:
    """Read the compiled catalogues (``LOCALE/LC_MESSAGES/messages.mo``) of ``folders``."""
    for locale in LOCALES:
        merged = _catalogues.setdefault(locale, Translations())
        for folder in folders:
            found = Translations.load(folder, [locale], "messages")
            if isinstance(found, Translations):
                merged.merge(found)


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


def fill(text: LazyText | str, **values: object) -> LazyText:
    """``text`` with its ``{names}`` replaced when it is shown; an f-string could not wait."""
    return LazyProxy(lambda: str(text).format(**values), enable_cache=False)
