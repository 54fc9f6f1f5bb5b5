"""Bearer secrets: 256 random bits for the person, their SHA-256 for the database."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

MAX_LENGTH: Final = 200


def fresh_token() -> str:
    """A new secret of 256 bits, safe in a cookie and in an address."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What the database keeps of ``token``. A random secret needs no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
