"""DKIM key pairs: made, sealed, and written as the record that shows the public half."""

from __future__ import annotations

import asyncio
import base64
import secrets
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from core.mail.signing import seal_key
from tenants.senders.models import SenderKey

BITS: Final = 2048
"""What every receiver can check (RFC 8301); ed25519 many cannot yet."""
LONGEST_STRING: Final = 255
"""Bytes of one string of a TXT record (RFC 1035, 3.3); a record may have several."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A fresh key pair: base64 of the public DER, and the private PEM."""

    public: str
    private: str = field(repr=False)


async def fresh() -> Pair:
    """A new pair. It takes a tenth of a second, so it is made in a thread and in no transaction."""
    return await asyncio.to_thread(_make)


def _make() -> Pair:
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return Pair(base64.b64encode(public).decode(), private.decode())


def row(sender_id: UUID, tenant_id: UUID, pair: Pair, state: str) -> SenderKey:
    """``pair`` as it is kept, by a selector that no other key of any domain has."""
    return SenderKey(
        sender_id=sender_id,
        selector=f"atrium-{secrets.token_hex(4)}",
        public=pair.public,
        private=seal_key(pair.private, tenant_id),
        state=state,
    )


def record_of(public: str) -> str:
    """The text of the TXT record."""
    return f"v=DKIM1; k=rsa; p={public}"


def strings_of(text: str) -> str:
    """``text`` as the strings of one TXT record, for name servers that ask for them."""
    pieces = [text[at : at + LONGEST_STRING] for at in range(0, len(text), LONGEST_STRING)]
    return " ".join(f'"{each}"' for each in pieces)
