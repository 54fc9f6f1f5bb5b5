"""The sealed form: AES-256-GCM, with what the text belongs to as authenticated data.

    1 byte form (1) | 2 bytes key number | 12 bytes nonce | ciphertext and 16 bytes tag

Nonces are random: 2^32 fields may be sealed with one key (NIST SP 800-38D, section 8.3).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_FORM: Final = 1
_HEAD: Final = 3
_NONCE: Final = 12
_TAG: Final = 16


class CannotOpen(RuntimeError):
    """Sealed bytes that were changed, moved, or sealed for somebody else: never ignore it."""


def close_box(key: bytes, number: int, plain: bytes, belongs_to: Sequence[str]) -> bytes:
    """Seal ``plain`` with the key of that ``number``, bound to what it ``belongs_to``."""
    head = bytes([_FORM]) + number.to_bytes(2, "big")
    nonce = secrets.token_bytes(_NONCE)
    return head + nonce + AESGCM(key).encrypt(nonce, plain, _bound(head, belongs_to))


def key_number(sealed: bytes) -> int:
    """Which key opens ``sealed``.

    Raises:
        CannotOpen: these are not sealed bytes.
    """
    if len(sealed) < _HEAD + _NONCE + _TAG or sealed[0] != _FORM:
        raise CannotOpen("these bytes were not sealed by this software")
    return int.from_bytes(sealed[1:_HEAD], "big")


def open_box(key: bytes, sealed: bytes, belongs_to: Sequence[str]) -> bytes:
    """What was sealed.

    Raises:
        CannotOpen: another key, another place, or changed bytes.
    """
    key_number(sealed)
    nonce, rest = sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :]
    try:
        return AESGCM(key).decrypt(nonce, rest, _bound(sealed[:_HEAD], belongs_to))
    except InvalidTag:
        place = " / ".join(belongs_to)
        raise CannotOpen(f"sealed bytes of {place} were changed, moved or not ours") from None


def _bound(head: bytes, belongs_to: Sequence[str]) -> bytes:
    # Lengths first, so that ("ab", "c") and ("a", "bc") differ.
    parts = [part.encode() for part in belongs_to]
    return head + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
