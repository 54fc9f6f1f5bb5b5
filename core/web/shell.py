"""What every page knows beside its own content: who reads, where, in which language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode

from core import clock
from core.auth.identity import Identity
from core.i18n import LOCALES
from core.scope import Tenant, current_or_none
from core.web.brand import brand_version
from core.web.flash import Toast, read_flash

if TYPE_CHECKING:
    from core.web.listed import Listed

LANGUAGES: Final = {"en": "English", "pt": "Português"}

AsgiScope = Mapping[str, Any]


@dataclass(frozen=True)
class Link:
    """An entry of the navigation as a page shows it."""

    title: object
    path: str
    icon: str
    current: bool
    group: object = None


@dataclass(frozen=True)
class Group:
    """Entries of the desk that stand together; those without a title are always in sight."""

    title: object
    links: list[Link]

    @property
    def is_open(self) -> bool:
        """Whether the page being shown is one of them."""
        return any(link.current for link in self.links)


@dataclass(frozen=True, kw_only=True)
class Shell:
    """Given to every template as ``shell``."""

    scope: AsgiScope
    viewer: Identity | None
    locale: str
    development: bool
    navigation: Mapping[str, Iterable[Link]] = field(default_factory=dict)
    desk: str | None = None
    """Where this viewer works, if they are staff."""
    extra_toasts: tuple[Toast, ...] = ()
    listed: Listed | None = None
    """What search engines are told of the page; None keeps it from them."""

    @property
    def tenant(self) -> Tenant | None:
        """Whoever is served; None on the page for an unknown host."""
        return current_or_none()

    @property
    def path(self) -> str:
        """The path being shown."""
        return str(self.scope.get("path", "/"))

    @property
    def year(self) -> int:
        """The calendar year on the tenant's clock."""
        return clock.today(self.tenant.zone if self.tenant else "UTC").year

    @property
    def initials(self) -> str:
        """The viewer's, for a small round picture."""
        words = (self.viewer.name if self.viewer else "").split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    @property
    def brand_version(self) -> str:
        """Changes with the tenant's brand, so that its style sheet may be kept for long."""
        return brand_version(self.tenant.brand) if self.tenant else ""

    def nav(self, area: str) -> list[Link]:
        """The navigation of ``site`` or ``desk``, for this viewer."""
        return list(self.navigation.get(area, ()))

    @property
    def groups(self) -> list[Group]:
        """The desk's navigation: what is always in sight, then group by group."""
        found: dict[str, Group] = {"": Group(None, [])}
        for link in self.nav("desk"):
            title = "" if link.group is None else str(link.group)
            found.setdefault(title, Group(link.group, [])).links.append(link)
        return list(found.values())

    def may(self, permission: str) -> bool:
        """Whether the viewer holds ``permission``."""
        return self.viewer is not None and permission in self.viewer.permissions

    @cached_property
    def cookies(self) -> dict[str, str]:
        """What the browser sent along."""
        return read_cookies(self.scope)

    @cached_property
    def toasts(self) -> list[Toast]:
        """Messages to show once: carried over a redirect, or given with the page."""
        return [*read_flash(self.cookies), *self.extra_toasts]

    @property
    def languages(self) -> list[tuple[str, str, str]]:
        """Code, own name, and the address of this page in that language."""
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        return [
            (code, LANGUAGES[code], f"?{urlencode({**query, 'lang': [code]}, doseq=True)}")
            for code in LOCALES
        ]

    def query(self, **changes: object) -> str:
        """This page's query string with ``changes`` (None removes), for sorting and paging."""
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        query.pop("lang", None)
        for name, value in changes.items():
            query.pop(name, None)
            if value is not None:
                query[name] = [str(value)]
        return f"?{urlencode(query, doseq=True)}"


def read_cookies(scope: AsgiScope) -> dict[str, str]:
    """The cookies of an ASGI scope; a malformed header counts as none."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header(scope, b"cookie"))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def header(scope: AsgiScope, name: bytes) -> str:
    """The header ``name`` (lower case); empty when absent."""
    for key, value in scope.get("headers", ()):
        if key == name:
            return str(value.decode("latin-1"))
    return ""
