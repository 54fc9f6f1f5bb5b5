"""The link in a letter's foot: it works without signing in, for one person and one kind.

It is sealed by the tenant's key, so that nobody can make one or read whose it is; it does not
expire, since letters are kept for years (RFC 8058 has mail programs post to it by themselves).
"""

from __future__ import annotations

import base64
import binascii
from typing import Final, NamedTuple
from uuid import UUID

from core.crypto import CannotOpen, NoKey, open_sealed, seal
from core.errors import NotFound

DIGEST: Final = "*"
"""Stands for the letter of the morning, in the place of a kind."""
PATH: Final = "/notifications/unsubscribing"
_PLACE: Final = "notifications.unsubscribing"


class Bearer(NamedTuple):
    """Who is to get no more letters, about which kind."""

    user_id: UUID
    kind: str


def address(bearer: Bearer) -> str:
    """The path that unsubscribes, for the tenant being served; its keys must be ready."""
    sealed = seal(f"{bearer.user_id.hex} {bearer.kind}", _PLACE)
    return f"{PATH}?token={base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"


def opened(token: str) -> Bearer:
    """Whose link it is; the keys of the tenant being served must be ready.

    Raises:
        NotFound: we made no such link here.
    """
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        user_id, _, kind = open_sealed(sealed, _PLACE).partition(" ")
        return Bearer(UUID(user_id), kind)
    except (binascii.Error, ValueError, CannotOpen, NoKey):
        raise NotFound from None
