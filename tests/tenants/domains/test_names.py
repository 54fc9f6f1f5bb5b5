"""Which names can be claimed, and how they are kept."""

from __future__ import annotations

import pytest

from core.errors import Invalid
from core.web.hosts import normalise
from tenants.domains import names

OURS = "app.atrium.example"


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("www.acme.example", "www.acme.example"),
        ("  WWW.Acme.Example. ", "www.acme.example"),
        ("https://www.acme.example/", "www.acme.example"),
        ("acme.co.uk", "acme.co.uk"),
        ("café.example", "xn--caf-dma.example"),
        ("CAFE\u0301.example", "xn--caf-dma.example"),
        ("ｗｗｗ．acme．example", "www.acme.example"),  # noqa: RUF001  # full width, as typed by a Japanese keyboard
        ("www。acme。example", "www.acme.example"),
        ("straße.example", "xn--strae-oqa.example"),  # IDNA 2003 would lead to strasse
        ("xn--caf-dma.example", "xn--caf-dma.example"),
        ("me.github.io", "me.github.io"),
    ],
)
def test_a_name_is_kept_as_browsers_send_it(typed: str, host: str) -> None:
    """Lower case, punycode by IDNA 2008, no trailing dot, nothing of an address round it."""
    assert names.read(typed, OURS) == host
    assert normalise(host) == host


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "acme",
        "localhost",
        OURS,
        f"APP.{OURS.removeprefix('app.')}",
        f"acme.{OURS}",
        "atrium.example",  # what we are a part of
        "example",
        "co.uk",
        "github.io",
        "acme.local",
        "acme.internal",
        "acme.onion",
        "127.0.0.1",
        "[::1]",
        "::1",
        "2130706433",
        "acme.0x7f",
        "1.2.3",
        "*.acme.example",
        "_dmarc.acme.example",
        "acme..example",
        ".acme.example",
        "acme.example..",
        "-acme.example",
        "acme.example:8000",
        "user@acme.example",
        "acme.example/path",
        "acme example",
        "ac\u200bme.example\x00",
        "xn--a.example",
        "xn--www-.example",
        "☃.example",
        "a" * 64 + ".example",
        ".".join(["a" * 40] * 5) + ".example",
    ],
)
def test_what_nobody_can_claim_is_refused(typed: str) -> None:
    """Ours, public suffixes, addresses, single labels, malformed: each names the field."""
    with pytest.raises(Invalid) as refused:
        names.read(typed, OURS)
    assert [each.field for each in refused.value.errors] == ["host"]


@pytest.mark.parametrize(
    ("host", "apex"),
    [
        ("acme.example", True),
        ("www.acme.example", False),
        ("acme.co.uk", True),
        ("www.acme.co.uk", False),
        ("me.github.io", True),
    ],
)
def test_a_registered_domain_is_known(host: str, apex: bool) -> None:
    """It can have no CNAME, so it is told other records."""
    assert names.is_apex(host) is apex


def test_people_see_their_own_script() -> None:
    """Punycode is for machines."""
    assert names.shown("xn--caf-dma.example") == "café.example"
    assert names.shown("www.acme.example") == "www.acme.example"
