"""The master key of a test process: one for all its worlds, since the process has one ring."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from atrium.testing.servers import scratch
from core import crypto
from core.crypto import KeyRing, MasterKeys


@cache
def master_key_file() -> Path:
    """A file with a fresh master key."""
    path = scratch() / "master.key"
    crypto.create_master_key_file(path)
    return path


@cache
def key_ring() -> KeyRing:
    """The key ring of this process, installed."""
    ring = KeyRing(MasterKeys.load(master_key_file()))
    crypto.install(ring)
    return ring
