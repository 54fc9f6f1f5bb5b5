"""What a route returns: a page, one block of it for htmx, or the way to another page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.enums import MediaType
from litestar.response.base import ASGIResponse

from core.i18n import LazyText, reading_in
from core.web.flash import Toast, cookie_name, flash_cookie, spent_cookie
from core.web.headers import Csp
from core.web.locales import negotiate

if TYPE_CHECKING:
    from litestar import Litestar
    from litestar.background_tasks import BackgroundTask, BackgroundTasks
    from litestar.types import TypeEncodersMap

    from core.web.listed import Listed
    from core.web.render import Renderer
    from core.web.shell import Shell

HTTP_OK: Final = 200
KEPT_BRIEFLY: Final = "public, max-age=60, stale-while-revalidate=300"
"""Of pages that say the same to everybody; ``vary`` keeps languages and the signed-in apart."""


class Page(Response[bytes]):
    """A rendered template.

    ``block`` names the block that htmx gets instead of the whole page. ``toast`` is shown once.
    ``csp`` adds origins that this page alone may use. ``listed`` says what search engines are told,
    and lets whoever is not signed in keep the page for a moment: it must say the same to all of
    them, so no form on it may hold a key of its own.
    """

    def __init__(
        self,
        template: str,
        context: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        block: str | None = None,
        toast: LazyText | str | None = None,
        toast_level: str = "success",
        csp: Csp | None = None,
        listed: Listed | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: list[Cookie] | None = None,
    ) -> None:
        super().__init__(
            b"",
            status_code=status,
            media_type=MediaType.HTML,
            headers=dict(headers or {}),
            cookies=cookies,
        )
        self.template = template
        self.context = dict(context or {})
        self.block = block
        self.csp = csp
        self.listed = listed
        self._toast, self._toast_level = toast, toast_level

    def to_asgi_response(
        self,
        app: Litestar | None,
        request: Request[Any, Any, Any],
        *,
        background: BackgroundTask | BackgroundTasks | None = None,
        cookies: Iterable[Cookie] | None = None,
        encoded_headers: Iterable[tuple[bytes, bytes]] | None = None,
        headers: dict[str, str] | None = None,
        is_head_response: bool = False,
        media_type: MediaType | str | None = None,
        status_code: int | None = None,
        type_encoders: TypeEncodersMap | None = None,
    ) -> ASGIResponse:
        renderer: Renderer = request.app.state.renderer
        block = self.block if wants_fragment(request) else None
        toasts = self._toasts(request) if block is None else ()
        shell = renderer.shell(request.scope, toasts, self.listed)
        body = renderer.page(shell, self.template, self.context, block).encode()
        extra = {"vary": "hx-request, accept-language, cookie"}
        if self.csp is not None:
            request.scope["state"]["csp"] = self.csp
        jar = [*self.cookies, *(cookies or ())]
        if block is not None:
            extra |= toast_header(self._toasts(request))
        elif cookie_name(secure=is_secure(request)) in shell.cookies:
            jar.append(spent_cookie(secure=is_secure(request)))
        return ASGIResponse(
            background=self.background or background,
            body=body,
            cookies=jar,
            encoded_headers=encoded_headers,
            headers={**self._keeping(shell, body), **(headers or {}), **extra, **self.headers},
            is_head_response=is_head_response,
            media_type=MediaType.HTML,
            status_code=self.status_code or status_code,
        )

    def _keeping(self, shell: Shell, body: bytes) -> dict[str, str]:
        """Who may keep the page: a listed one whoever sees what everybody does."""
        alike = shell.viewer is None and not shell.toasts
        if self.listed is None or not alike or self.status_code != HTTP_OK:
            return {"cache-control": "no-store"}
        digest = hashlib.sha256(body).hexdigest()[:20]
        return {"cache-control": KEPT_BRIEFLY, "etag": f'W/"{digest}"'}

    def _toasts(self, request: Request[Any, Any, Any]) -> tuple[Toast, ...]:
        if self._toast is None:
            return ()
        with reading_in(negotiate(request.scope)):
            return (Toast(str(self._toast), self._toast_level),)


def toast_header(toasts: Iterable[Toast]) -> dict[str, str]:
    """The header by which a fragment shows messages; ASCII, as headers must be."""
    events = msgspec.to_builtins(list(toasts))
    return {"hx-trigger": json.dumps({"atrium:toast": events})} if events else {}


def wants_fragment(request: Request[Any, Any, Any]) -> bool:
    """Whether htmx asked, and for a part of a page."""
    headers = request.headers
    return (
        headers.get("hx-request") == "true"
        and headers.get("hx-boosted") != "true"
        and headers.get("hx-history-restore-request") != "true"
    )


def is_secure(request: Request[Any, Any, Any]) -> bool:
    """Whether people reach us over https; then cookies bear the ``__Host-`` prefix."""
    settings = request.app.state.renderer.settings
    return bool(settings.public_scheme == "https")


class SeeOther(Response[bytes]):
    """After a form: go and look there. A browser gets 303, htmx a full navigation.

    ``flash`` is shown once on the page that follows. ``to`` must be a path of this host unless
    ``elsewhere`` says that it was made by us and leads to another host.
    """

    def __init__(
        self,
        to: str,
        *,
        flash: LazyText | str | None = None,
        level: str = "success",
        elsewhere: bool = False,
        cookies: list[Cookie] | None = None,
    ) -> None:
        if not elsewhere and not is_local(to):
            raise ValueError(f"{to!r} is not a path of this host")
        super().__init__(b"", status_code=303, headers={"location": to}, cookies=cookies)
        self.to, self._flash, self._level = to, flash, level

    def to_asgi_response(
        self, app: Litestar | None, request: Request[Any, Any, Any], **given: Any
    ) -> ASGIResponse:
        cookies = [*self.cookies, *(given.get("cookies") or ())]
        if self._flash is not None:
            with reading_in(negotiate(request.scope)):
                toast = Toast(str(self._flash), self._level)
            cookies.append(flash_cookie(toast, secure=is_secure(request)))
        by_htmx = request.headers.get("hx-request") == "true"
        return ASGIResponse(
            body=b"",
            cookies=cookies,
            headers={
                **(given.get("headers") or {}),
                ("hx-redirect" if by_htmx else "location"): self.to,
            },
            status_code=200 if by_htmx else 303,
            media_type="text/plain",
        )


def is_local(path: str) -> bool:
    """Whether ``path`` leads to this host: for ``?next=`` and the like, against open redirects."""
    return (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and not any(ord(character) < 32 or character == "\\" for character in path)
    )
