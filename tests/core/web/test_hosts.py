"""The Host header decides whose data is served, so it is read strictly."""

from __future__ import annotations

import pytest

from core.web.hosts import normalise


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("acme.localhost", "acme.localhost"),
        ("acme.localhost:8000", "acme.localhost"),
        ("ACME.LocalHost", "acme.localhost"),
        ("acme.localhost.", "acme.localhost"),
        ("acme.localhost.:8000", "acme.localhost"),
        ("xn--caf-dma.localhost", "xn--caf-dma.localhost"),
        ("127.0.0.1:8000", "127.0.0.1"),
    ],
)
def test_one_name_however_it_is_written(header: str, name: str) -> None:
    """Case, port and a trailing dot make no other host."""
    assert normalise(header) == name


@pytest.mark.parametrize(
    "header",
    [
        "",
        ".",
        "acme@evil.localhost",
        "evil.localhost@acme.localhost",
        "user:password@acme.localhost",
        "acme.localhost:80:80",
        "acme.localhost:",
        "acme.localhost:port",
        "acme.localhost/../bravo.localhost",
        "acme.localhost, bravo.localhost",
        "acme..localhost",
        ".acme.localhost",
        "acme.localhost..",
        "-acme.localhost",
        "acme-.localhost",
        "ac_me.localhost",
        "café.localhost",
        "acme\u3002localhost",
        "acme.localhost\x00",
        "acme.localhost\n",
        " acme.localhost",
        "[::1]:8000",
        "%61cme.localhost",
        "\u017fhop.localhost",
        "a" * 64 + ".localhost",
        ".".join(["a" * 50] * 6),
    ],
)
def test_anything_doubtful_is_no_host_at_all(header: str) -> None:
    """User information, two names, odd ports, Unicode and over-long names are refused."""
    assert normalise(header) is None
