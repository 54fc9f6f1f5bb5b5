"""Fair shares: everything for who is alone, an equal part beside others, a place for everybody."""

from __future__ import annotations

from uuid import UUID

import pytest

from core.shares import Shares


class Clock:
    """Stands still until told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("present", "each"), [(0, 16), (1, 16), (2, 4), (4, 4), (5, 3), (16, 1), (40, 1)]
)
def test_a_share_follows_from_who_is_present(present: int, each: int) -> None:
    """Alone all sixteen, beside others a quarter at most, and never nothing."""
    shares = Shares(16)
    for number in range(present):
        shares.note(UUID(int=number))
        shares.note(UUID(int=0))
    assert shares.each == each


def test_whoever_asked_for_nothing_for_a_second_is_not_present() -> None:
    """The machine is one tenant's again as soon as the others are gone."""
    clock = Clock()
    shares = Shares(16, clock=clock)
    shares.note(UUID(int=1))
    clock.now = 0.8
    shares.note(UUID(int=2))
    assert shares.each == 4
    clock.now = 1.1
    assert shares.each == 16
