"""Secrets and signatures, as Standard Webhooks 1.0 has them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
_BYTES: Final = 32


def new_secret() -> str:
    """256 random bits in the form that receivers' libraries take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signature(secret: str, message: str, at: datetime, body: str) -> str:
    """``v1`` of one secret: HMAC-SHA256 over id, whole seconds and body, with points between."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message}.{int(at.timestamp())}.{body}".encode()
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers(signed_by: Iterable[str], message: str, at: datetime, body: str) -> dict[str, str]:
    """What goes with a request; with several secrets, receivers that know any of them agree."""
    made = (signature(each, message, at, body) for each in signed_by)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(made),
    }
