"""Headers on every answer: what a page may load, and what browsers must not do with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from core.web.locales import COOKIE, asked_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Csp:
    """Origins that one page may use beyond our own, such as the card form of a payment page."""

    script: tuple[str, ...] = ()
    frame: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    form: tuple[str, ...] = ()

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
                "frame-ancestors 'none'",
            )
        )


def _directive(name: str, more: tuple[str, ...]) -> str:
    return " ".join((name, "'self'", *more))


_ALWAYS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(self), usb=()",
}
_HSTS: Final = "max-age=31536000; includeSubDomains"


async def secure(message: Message, scope: Scope) -> None:
    """Litestar ``before_send`` hook: security headers, where an answer has not set its own."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    settings = scope["litestar_app"].state.renderer.settings
    csp = scope["state"].get("csp", Csp())
    # Chromium holds the redirect that follows a form to form-action too, and "Open" in the
    # portal leads to the tenant's own host.
    own = (settings.public_url, settings.tenant_url("*", ""))
    headers.setdefault("content-security-policy", str(replace(csp, form=(*own, *csp.form))))
    if settings.public_scheme == "https":
        headers.setdefault("strict-transport-security", _HSTS)
    if language := asked_for(scope):
        safe = "; Secure" if settings.public_scheme == "https" else ""
        headers.add(
            "set-cookie", f"{COOKIE}={language}; Path=/; Max-Age=31536000; SameSite=Lax{safe}"
        )
