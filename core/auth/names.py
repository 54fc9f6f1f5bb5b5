"""What people type about themselves, made comparable or refused."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from core.errors import Invalid
from core.i18n import LOCALES, _

LONGEST_EMAIL: Final = 254
LONGEST_NAME: Final = 100

# Deliberately loose: whether an address works is known only once mail arrives there.
_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f<>()\[\],;:\"\\]+@[^@\s\x00-\x1f\x7f<>]+\.[^@\s.]+")


def clean_email(text: str) -> str:
    """The e-mail address in the form in which it is unique: trimmed, lower case.

    Raises:
        Invalid: it cannot be an address.
    """
    email = _typed(text, "email").lower()
    if len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        raise Invalid(_("Please enter an e-mail address such as ana@example.com."), field="email")
    return email


def clean_name(text: str) -> str:
    """A person's name, trimmed, with single spaces.

    Raises:
        Invalid: empty, too long, or with characters that no name has.
    """
    name = " ".join(_typed(text, "name").split())
    if not name:
        raise Invalid(_("Please enter a name."), field="name")
    if len(name) > LONGEST_NAME:
        raise Invalid(_("Please use at most 100 characters."), field="name")
    return name


def clean_locale(code: str | None) -> str | None:
    """A language that Atrium speaks, or None for the business's own.

    Raises:
        Invalid: a language it does not speak.
    """
    if not code:
        return None
    if code not in LOCALES:
        raise Invalid(_("Please choose one of the languages."), field="locale")
    return code


def _typed(text: str, field: str) -> str:
    text = text.strip()
    if any(unicodedata.category(each) in {"Cc", "Cs"} for each in text):
        raise Invalid(_("This contains characters that cannot be typed."), field=field)
    return unicodedata.normalize("NFC", text)
