"""Texts a person reads: complete in every language, and true to the original."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from atrium.testing.checks.candidate import Candidate
from atrium.testing.checks.check import Check, for_each
from core.locale.catalogues import TRANSLATED, Texts, missing

_PLACEHOLDER: Final = re.compile(r"\{\w*\}|%\(\w+\)\w")
_REMEDY: Final = "run `python -m core.locale.update FOLDER` and translate what it lists"


def _texts(it: Candidate) -> Texts:
    return Texts(it.plugin.folder, (it.plugin.folder,))


def every_text_is_translated(it: Candidate, locale: str) -> Iterator[str]:
    """A page that is half in another language looks broken to whoever reads it."""
    texts = _texts(it)
    catalogue = texts.translated(locale)
    known = {message.id for message in catalogue if message.id}
    absent = {message.id for message in texts.extracted() if message.id} - known
    for text in sorted(map(str, absent)) + missing(catalogue):
        yield f"{text!r}: {_REMEDY}"


def no_translation_is_left_over(it: Candidate, locale: str) -> Iterator[str]:
    """Translators should not work on what nobody reads."""
    texts = _texts(it)
    wanted = {message.id for message in texts.extracted()}
    for message in texts.translated(locale):
        if message.id and message.id not in wanted:
            yield f"{message.id!r}: {_REMEDY}"


def no_translation_is_a_guess(it: Candidate, locale: str) -> Iterator[str]:
    """A "fuzzy" entry is a machine's guess that nobody has looked at."""
    for message in _texts(it).translated(locale):
        if message.id and message.fuzzy:
            yield f"{message.id!r}"


def translations_keep_their_placeholders(it: Candidate, locale: str) -> Iterator[str]:
    """A lost or misspelt placeholder breaks the page that shows it."""
    for message in _texts(it).translated(locale):
        if not message.id:
            continue
        sources = message.id if isinstance(message.id, tuple) else (message.id,)
        shown = message.string if isinstance(message.string, tuple) else (message.string,)
        for source, text in zip(map(str, sources), map(str, shown), strict=True):
            if text and sorted(_PLACEHOLDER.findall(source)) != sorted(_PLACEHOLDER.findall(text)):
                yield f"{source!r} became {text!r}"


def checks(it: Candidate) -> list[Check]:
    """The checks of this module for ``it``."""
    return for_each(
        TRANSLATED,
        every_text_is_translated,
        no_translation_is_left_over,
        no_translation_is_a_guess,
        translations_keep_their_placeholders,
    )
