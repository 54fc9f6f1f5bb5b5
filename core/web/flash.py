"""A message shown once on the next page, carried over a redirect by a short-lived cookie.

It needs no signature: over https the ``__Host-`` prefix keeps sibling subdomains from setting
it, so that only the reader could forge a message to themselves; it is escaped when shown.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import msgspec
from litestar.datastructures import Cookie

MAX_AGE: Final = 60
_NAMES: Final = ("__Host-flash", "flash")


class Toast(msgspec.Struct, frozen=True):
    """``level`` is ``success``, ``info``, ``warning`` or ``danger``."""

    text: str
    level: str = "success"


def cookie_name(*, secure: bool) -> str:
    """The flash cookie's name over https or plain http."""
    return _NAMES[0] if secure else _NAMES[1]


def flash_cookie(toast: Toast, *, secure: bool) -> Cookie:
    """The cookie that carries ``toast`` to the next page."""
    value = base64.urlsafe_b64encode(msgspec.json.encode(toast)).decode().rstrip("=")
    return Cookie(
        key=cookie_name(secure=secure),
        value=value,
        max_age=MAX_AGE,
        httponly=True,
        secure=secure,
        samesite="lax",
    )


def spent_cookie(*, secure: bool) -> Cookie:
    """The cookie that ends a shown message."""
    return Cookie(
        key=cookie_name(secure=secure),
        value="",
        max_age=0,
        httponly=True,
        secure=secure,
        samesite="lax",
    )


def read_flash(cookies: Mapping[str, str]) -> list[Toast]:
    """The message that came with the request, if one did."""
    for name in _NAMES:
        if value := cookies.get(name):
            try:
                body = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
                return [msgspec.json.decode(body, type=Toast)]
            except (binascii.Error, ValueError, msgspec.MsgspecError):
                return []
    return []
