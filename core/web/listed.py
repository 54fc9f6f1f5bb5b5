"""How a page is found: its one address in each language, and what is told where it is shown.

A page that says nothing of the kind is kept out of search engines. The business's own language
is at the bare address, which answers a reader without a wish in it; others come by ``?lang=``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.i18n import DEFAULT_LOCALE, LOCALES, LazyText
from core.mail.office import address_of
from core.scope import current


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What search engines, and whoever is sent a link, are told of a page."""

    path: str
    """The page's own path, without a query: however else it was reached, it counts as that."""
    description: LazyText | str
    """What is there to be found, in a sentence or two."""
    image: str | None = None
    """The path of a picture; without, the business's logo."""
    data: tuple[Mapping[str, Any], ...] = ()
    """Objects of schema.org; they are read as data, so the policy of scripts stays strict."""

    def address(self, code: str) -> str:
        """Its one address in a language."""
        return address_in(self.path, code)

    @property
    def everywhere(self) -> list[tuple[str, str]]:
        """Languages with the addresses in them, and whatever suits the reader last."""
        return alternates(self.path)

    @property
    def picture(self) -> str | None:
        """The whole address of the picture."""
        path = self.image or current().brand.logo
        return address_of(path) if path else None

    @property
    def graph(self) -> list[dict[str, Any]]:
        """``data`` with the vocabulary named."""
        return [{"@context": "https://schema.org", **each} for each in self.data]


def address_in(path: str, code: str) -> str:
    """The whole address of the current tenant's page ``path`` in the language ``code``."""
    return address_of(path if code == own_language() else f"{path}?lang={code}")


def alternates(path: str) -> list[tuple[str, str]]:
    """Each language with the address of ``path`` in it, and ``x-default`` with the bare one."""
    return [*((code, address_in(path, code)) for code in LOCALES), ("x-default", address_of(path))]


def own_language() -> str:
    """The language that the current tenant speaks with who has no wish."""
    code = current().locale.replace("_", "-").split("-")[0].lower()
    return code if code in LOCALES else DEFAULT_LOCALE
