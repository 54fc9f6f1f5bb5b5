"""Headers on every answer: what a page may load, and what browsers must not do with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from litestar.types import Message, Scope

from core.settings import Settings
from core.web.locales import COOKIE, asked_for
from core.web.shell import header


@dataclass(frozen=True, slots=True, kw_only=True)
class Csp:
    """Origins that one page may use beyond our own, such as the card form of a payment page."""

    script: tuple[str, ...] = ()
    frame: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    ancestors: tuple[str, ...] = ()
    """Whose pages may show this one in a frame; nobody's, unless it says so."""

    def __str__(self) -> str:
        return "; ".join(
            (
                "default-src 'self'",
                _directive("script-src", self.script),
                "style-src 'self'",
                _directive("connect-src", self.connect),
                _directive("img-src", ("data:", *self.image)),
                _directive("frame-src", self.frame),
                "object-src 'none'",
                "base-uri 'none'",
                _directive("form-action", self.form),
                " ".join(("frame-ancestors", *(self.ancestors or ("'none'",)))),
            )
        )


def _directive(name: str, more: tuple[str, ...]) -> str:
    return " ".join((name, "'self'", *more))


_ALWAYS: Final = (
    # Whoever lets others keep an answer says so; a cache before us must not decide by itself.
    (b"cache-control", b"private, no-cache"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"camera=(), microphone=(), geolocation=(), payment=(self), usb=()",
    ),
)
_UNFRAMED: Final = ((b"x-frame-options", b"DENY"),)
"""For old browsers; it knows no list, so a page that some may frame goes without."""
_YEAR: Final = b"max-age=31536000"
_HSTS: Final = b"strict-transport-security"
_NO_MORE: Final = Csp()


async def secure(message: Message, scope: Scope) -> None:
    """Litestar ``before_send`` hook: security headers, where an answer has not set its own."""
    if message["type"] != "http.response.start":
        return
    settings: Settings = scope["litestar_app"].state.renderer.settings
    https = settings.public_scheme == "https"
    headers = list(message["headers"])
    given = {name for name, _ in headers}
    csp: Csp = scope["state"].get("csp", _NO_MORE)
    policy = (b"content-security-policy", _policy(csp, settings))
    unframed = () if csp.ancestors else _UNFRAMED
    wanted = (*_ALWAYS, *unframed, policy, *_strict(scope, settings))
    headers += [each for each in wanted if each[0] not in given]
    if language := asked_for(scope):
        safe = "; Secure" if https else ""
        kept = f"{COOKIE}={language}; Path=/; Max-Age=31536000; SameSite=Lax{safe}"
        headers.append((b"set-cookie", kept.encode()))
    message["headers"] = headers


def _strict(scope: Scope, settings: Settings) -> tuple[tuple[bytes, bytes], ...]:
    """HSTS, where people reach us over https, and never over http (RFC 6797, 7.2). What lies
    below a business's own domain is its own affair: the promise is for our names alone."""
    if settings.public_scheme != "https" or header(scope, b"x-forwarded-proto") == "http":
        return ()
    host = header(scope, b"host").partition(":")[0].lower().removesuffix(".")
    ours = host == settings.base_domain or host.endswith(f".{settings.base_domain}")
    return ((_HSTS, _YEAR + b"; includeSubDomains" if ours else _YEAR),)


@lru_cache(maxsize=1000)
def _policy(csp: Csp, settings: Settings) -> bytes:
    # Chromium holds the redirect that follows a form to form-action too, and "Open" in the
    # portal leads to the tenant's own host.
    own = (settings.public_url, settings.tenant_url("*", ""))
    return str(replace(csp, form=(*own, *csp.form))).encode()
