"""Envelope encryption: a master key wraps a data key per tenant, which seals fields.

``EncryptedText`` and ``EncryptedDate`` are column types; ``seal`` and ``open_sealed`` do the
same by hand; a ``mark`` beside a sealed column finds a text in it again; ``seal_platform`` and
``open_platform`` keep the platform's own secrets. Which key is whose is settled in ``keyring``;
what the bytes look like, in ``box``.
"""

from core.crypto.box import CannotOpen
from core.crypto.keyring import KeyRing, NoKey, create_key, install, installed, ready, rewrap_keys
from core.crypto.master import MasterKeys, create_master_key_file
from core.crypto.sealing import mark, marks, open_platform, open_sealed, seal, seal_platform
from core.crypto.types import EncryptedDate, EncryptedText

__all__ = [
    "CannotOpen",
    "EncryptedDate",
    "EncryptedText",
    "KeyRing",
    "MasterKeys",
    "NoKey",
    "create_key",
    "create_master_key_file",
    "install",
    "installed",
    "mark",
    "marks",
    "open_platform",
    "open_sealed",
    "ready",
    "rewrap_keys",
    "seal",
    "seal_platform",
]
