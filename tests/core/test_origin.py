"""Where a request came from, and whom we believe about it."""

from __future__ import annotations

import pytest

from core.origin import client_address, networks

OURS = networks("10.0.0.0/8, ::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),  # a stranger's claim
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"),  # written by the client
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),  # two proxies of ours
        ("10.0.0.1", "10.0.0.3", "10.0.0.3"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("::1", "2001:db8::5", "2001:db8::5"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("fe80::1%eth0", "", "fe80::1"),
        (None, "1.2.3.4", "unknown"),
    ],
)
def test_only_our_own_proxies_are_believed(peer: str | None, forwarded: str, expected: str) -> None:
    """X-Forwarded-For is read from the right, for as long as the hop is a proxy of ours."""
    assert client_address(peer, {"x-forwarded-for": forwarded}, OURS) == expected


def test_a_malformed_list_of_proxies_is_refused() -> None:
    """A typing slip in the setting stops the start instead of trusting the world."""
    with pytest.raises(ValueError, match=r"10\.0\.0"):
        networks("10.0.0/8x")
