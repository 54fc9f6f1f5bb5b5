"""The master keys of an installation: a file of lines ``NUMBER:BASE64``, the last one current.

To rotate, append a line with the next number, restart, run ``rewrap_keys`` for every tenant;
when nothing is wrapped by the old key any more, its line may go.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.crypto.box import KEY_BYTES


@dataclass(frozen=True)
class MasterKeys:
    """Master keys by number; ``current`` wraps what is wrapped from now on."""

    keys: Mapping[int, bytes] = field(repr=False)
    current: int

    @classmethod
    def generate(cls) -> Self:
        """One fresh master key."""
        return cls({1: secrets.token_bytes(KEY_BYTES)}, 1)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The master keys in a file.

        Raises:
            ValueError: naming the file and the line that is not a key.
        """
        lines = [line.strip() for line in path.read_text(encoding="ascii").splitlines()]
        keys: dict[int, bytes] = {}
        for place, line in enumerate(lines, start=1):
            if line and not line.startswith("#"):
                number, key = _read(line, f"{path}, line {place}")
                keys[number] = key
        if not keys:
            raise ValueError(f"{path} holds no master key")
        return cls(keys, list(keys)[-1])

    def text(self) -> str:
        """What ``load`` reads."""
        others = [number for number in self.keys if number != self.current]
        return "".join(
            f"{number}:{base64.b64encode(self.keys[number]).decode()}\n"
            for number in [*others, self.current]
        )

    @cached_property
    def platform_keys(self) -> Mapping[int, bytes]:
        """The keys of the platform's own secrets, derived so that no key has two uses."""
        return {number: _derive(key) for number, key in self.keys.items()}


def _derive(key: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"atrium platform secrets").derive(key)


def _read(line: str, place: str) -> tuple[int, bytes]:
    number, colon, encoded = line.rpartition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES or (colon and not number.isdecimal()):
        raise ValueError(f"{place}: expected NUMBER:BASE64 of 32 random bytes")
    return int(number or "1"), key


def create_master_key_file(path: Path) -> None:
    """Write a fresh master key to ``path``, readable by its owner alone; keep one that exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(MasterKeys.generate().text())
