"""Private columns on their way: sealed by a key made of the owner's passphrase.

AES-SIV (RFC 5297) instead of AES-GCM: the same text in the same column is sealed to the same
bytes, so that two archives with one key can be compared by their checksums.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from core.errors import Invalid
from core.i18n import _
from tenants.archive.manifest import Lock

KEY_BYTES: Final = 64
SALT_BYTES: Final = 16
SHORTEST_PASSPHRASE: Final = 12
_PROOF: Final = ("atrium archive", "proof")
# SIV takes no empty text, and an empty text must be told from none.
_MARK: Final = b"\x01"


@dataclass(frozen=True, slots=True)
class ArchiveKey:
    """The key of one archive, and the salt by which the passphrase gives it again."""

    secret: bytes = field(repr=False)
    salt: bytes = b""

    @classmethod
    async def of(cls, passphrase: str, salt: bytes | None = None) -> Self:
        """The key that ``passphrase`` gives; with a fresh salt, unless one is given. It takes a
        tenth of a second and 32 MB, so it is made in a thread and in no transaction.

        Raises:
            Invalid: it is shorter than 12 characters; with the field ``passphrase``.
        """
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise Invalid(_("Use at least 12 characters"), field="passphrase")
        salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
        made = Scrypt(salt=salt, length=KEY_BYTES, n=2**15, r=8, p=1)
        return cls(await asyncio.to_thread(made.derive, passphrase.encode()), salt)

    @classmethod
    def fresh(cls) -> Self:
        """A key that no passphrase gives: for archives that stay with us."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @property
    def lock(self) -> Lock:
        """What the manifest says of this key."""
        return Lock(salt=base64.b64encode(self.salt).decode(), proof=self.close("", *_PROOF))

    def fits(self, lock: Lock) -> bool:
        """Whether it opens an archive with this ``lock``."""
        try:
            return self.open(lock.proof, *_PROOF) == ""
        except ValueError:
            return False

    def insist_on(self, lock: Lock) -> None:
        """Insist that it opens an archive with this ``lock``.

        Raises:
            Invalid: it does not; with the field ``passphrase``.
        """
        if not self.fits(lock):
            raise Invalid(_("This passphrase does not open the archive"), field="passphrase")

    def close(self, text: str, table: str, column: str) -> str:
        """``text``, sealed for its column, as base64."""
        place = [table.encode(), column.encode()]
        return base64.b64encode(AESSIV(self.secret).encrypt(_MARK + text.encode(), place)).decode()

    def open(self, sealed: str, table: str, column: str) -> str:
        """What ``close`` was given.

        Raises:
            ValueError: another key, another column, or changed bytes.
        """
        place = [table.encode(), column.encode()]
        try:
            text = AESSIV(self.secret).decrypt(base64.b64decode(sealed, validate=True), place)
        except InvalidTag:
            raise ValueError("sealed with another key, for another column, or changed") from None
        return text[len(_MARK) :].decode()
