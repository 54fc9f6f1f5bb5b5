"""DKIM (RFC 6376): a letter is signed for the domain that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import dkim

from core.crypto import open_platform, seal_platform
from core.scope import Sender

_PLACE: Final = "mail_sender_keys.private"
# Relaxed for both: servers on the way fold headers and trim the ends of lines.
_RELAXED: Final = (b"relaxed", b"relaxed")
_SIGNED: Final = (
    b"from", b"reply-to", b"to", b"subject", b"date", b"message-id", b"mime-version",
    b"content-type", b"content-transfer-encoding", b"content-language", b"auto-submitted",
    b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
"""The headers that a signature covers. Each is named once more than a letter has it, so that none
can be added on the way either (RFC 6376, 8.15). Without the last two in it, mail programs offer
nobody to unsubscribe by one click (RFC 8058, 4)."""


def seal_key(pem: str, tenant_id: UUID) -> bytes:
    """A private key as it is kept: of use for that tenant alone."""
    return seal_platform(pem, _PLACE, str(tenant_id))


def sign(raw: bytes, sender: Sender, tenant_id: UUID) -> bytes:
    """``raw`` (lines end in CRLF) with a signature for the domain of ``sender``. It takes some
    ten milliseconds of computing.

    Raises:
        CannotOpen: the key was sealed for another tenant, or changed.
    """
    domain = sender.address.rpartition("@")[2]
    signature: bytes = dkim.sign(
        raw,
        sender.selector.encode(),
        domain.encode(),
        open_platform(sender.key, _PLACE, str(tenant_id)).encode(),
        canonicalize=_RELAXED,
        include_headers=_covering(raw),
    )
    return signature + raw


def _covering(raw: bytes) -> list[bytes]:
    """The names of headers that the signature of ``raw`` is made over."""
    fields, _body = dkim.rfc822_parse(raw)
    present = [name.lower() for name, _value in fields if name.lower() in _SIGNED]
    return [*present, *_SIGNED]


def is_signed(raw: bytes, published: Mapping[str, str]) -> bool:
    """Whether the first signature of ``raw`` is right by the DKIM records ``published``, by name
    without a trailing dot: as a receiver would find."""

    def of(name: bytes, timeout: float = 0) -> bytes | None:
        found = published.get(name.decode().rstrip("."))
        return found.encode() if found is not None else None

    try:
        return bool(dkim.verify(raw, dnsfunc=of))
    except dkim.DKIMException:
        return False
