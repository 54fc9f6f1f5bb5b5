"""In which language to answer: as asked for, else the person's, the browser's, the tenant's."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from litestar.types import ASGIApp, Receive, Scope, Send

from core.auth import identity
from core.i18n import DEFAULT_LOCALE, LOCALES, reading_in
from core.scope import current_or_none
from core.web.shell import AsgiScope, header, read_cookies

COOKIE: Final = "lang"


def asked_for(scope: AsgiScope) -> str | None:
    """The language that ``?lang=`` names, if we speak it."""
    query: bytes = scope.get("query_string", b"")
    if b"lang=" not in query:
        return None
    return _spoken(parse_qs(query.decode("latin-1")).get("lang", [""])[-1])


def negotiate(scope: AsgiScope) -> str:
    """The locale to answer in, to whoever is known to be asking by now."""
    tenant, person = current_or_none(), identity.current()
    return (
        asked_for(scope)
        or _spoken(read_cookies(scope).get(COOKIE, ""))
        or _spoken((person and person.locale) or "")
        or _accepted(header(scope, b"accept-language"))
        or _spoken(tenant.locale if tenant else "")
        or DEFAULT_LOCALE
    )


def _spoken(code: str) -> str | None:
    short = code.replace("_", "-").split("-")[0].lower()
    return short if short in LOCALES else None


def _accepted(value: str) -> str | None:
    wishes: list[tuple[float, str]] = []
    for part in value.split(",")[:20]:
        code, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if (spoken := _spoken(code)) and quality > 0:
            wishes.append((quality, spoken))
    return max(wishes, key=lambda wish: wish[0])[1] if wishes else None


def localised(app: ASGIApp) -> ASGIApp:
    """Litestar middleware: texts come out in the request's language while it is served."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        with reading_in(negotiate(scope)):
            await app(scope, receive, send)

    return middleware
