"""Ids are UUIDv7."""

from __future__ import annotations

import time

from core.ids import new_id


def test_an_id_says_when_it_was_made() -> None:
    """Version 7, RFC variant, and the Unix milliseconds in the first 48 bits."""
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert before <= made.int >> 80 <= after


def test_ids_do_not_repeat() -> None:
    """Ten thousand of the same millisecond or two are all different."""
    assert len({new_id() for _ in range(10_000)}) == 10_000
