"""Where a request came from, and whom we believe about it."""

from __future__ import annotations

import pytest

from core import origin
from core.origin import Origin, came_from, client_address, networks

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
    assert client_address(peer, [forwarded], OURS) == expected


def test_a_proxy_that_adds_a_line_of_its_own_is_heard() -> None:
    """The client's claim came in a line above it, which is older."""
    assert client_address("10.0.0.1", ["6.6.6.6", "198.51.100.7"], OURS) == "198.51.100.7"


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_a_machine_is_counted_once_however_many_addresses_it_has(address: str, line: str) -> None:
    """Providers give each line a /64, and whoever has one may send from all of it."""
    came_from(Origin(address))
    assert origin.line() == line


def test_a_malformed_list_of_proxies_is_refused() -> None:
    """A typing slip in the setting stops the start instead of trusting the world."""
    with pytest.raises(ValueError, match=r"10\.0\.0"):
        networks("10.0.0/8x")
