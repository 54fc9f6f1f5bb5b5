"""Asking DNS: what is not there is empty, what cannot be found out is said to be so."""

from __future__ import annotations

import pytest

from core.breaker import Breaker
from tenants.domains.resolver import DnsAway, PublicDns, servers
from tests.dns import NameServer


async def test_records_are_read(dns: NameServer) -> None:
    """TXT joined, CNAME without its dot, addresses through CNAMEs."""
    dns.zone = {
        ("t.example", "TXT"): ["one", "two"],
        ("www.a.example", "CNAME"): ["A.Example"],
        ("a.example", "A"): ["192.0.2.1", "192.0.2.2"],
        ("a.example", "AAAA"): ["2001:db8::1"],
    }
    dns.zone["A.Example", "A"] = dns.zone["a.example", "A"]
    dns.zone["A.Example", "AAAA"] = dns.zone["a.example", "AAAA"]
    resolver = dns.resolver()
    assert set(await resolver.txt("t.example")) == {"one", "two"}
    assert await resolver.cname("www.a.example") == "a.example"
    found = {"192.0.2.1", "192.0.2.2", "2001:db8::1"}
    assert await resolver.addresses("a.example") == found
    assert await resolver.addresses("www.a.example") == found


async def test_what_does_not_exist_is_empty(dns: NameServer) -> None:
    """Neither a name nor a kind of record that is not there is an error."""
    dns.zone = {("a.example", "A"): ["192.0.2.1"]}
    resolver = dns.resolver()
    assert await resolver.txt("a.example") == ()
    assert await resolver.txt("nobody.example") == ()
    assert await resolver.cname("nobody.example") is None
    assert await resolver.addresses("nobody.example") == frozenset()


async def test_a_broken_domain_cannot_be_found_out(dns: NameServer) -> None:
    """SERVFAIL is no answer; however often it comes, others are still asked about."""
    dns.broken.add("broken.example")
    resolver = dns.resolver()
    for _ in range(8):
        with pytest.raises(DnsAway):
            await resolver.txt("broken.example")
    assert await resolver.txt("other.example") == ()


async def test_silence_is_borne_for_so_long(dns: NameServer) -> None:
    """Then, after some failures in a row, nobody waits any more for a while."""
    dns.silent = True
    clock = [0.0]
    breaker = Breaker(failures=2, pause=10, clock=lambda: clock[0])
    resolver = PublicDns((("127.0.0.1", dns.port),), seconds=0.2, breaker=breaker)
    for _ in range(2):
        with pytest.raises(DnsAway):
            await resolver.txt("a.example")
    asked = len(dns.asked)
    with pytest.raises(DnsAway):
        await resolver.txt("a.example")
    assert len(dns.asked) == asked, "the breaker is open"
    dns.silent = False
    clock[0] = 11.0
    assert await resolver.txt("a.example") == ()


def test_name_servers_are_read_from_the_settings() -> None:
    """With ports or without, of either family; nonsense stops the process."""
    assert servers("9.9.9.9, 127.0.0.1:5353,[::1]:53,2001:db8::1") == (
        ("9.9.9.9", 53),
        ("127.0.0.1", 5353),
        ("::1", 53),
        ("2001:db8::1", 53),
    )
    assert servers("") == ()
    for wrong in ("dns.example", "9.9.9.9:port"):
        with pytest.raises(ValueError, match="not the address"):
            servers(wrong)


async def test_what_is_no_name_is_nowhere(dns: NameServer) -> None:
    """A stranger's record may include anything: no name server is at fault, nor asked."""
    resolver = dns.resolver()
    for _ in range(8):
        for name in ("", ".", "a..b", "x" * 64 + ".example", "a." * 200 + "example"):
            assert await resolver.txt(name) == ()
    dns.zone = {("t.example", "TXT"): ["one\0two"]}
    assert await resolver.txt("t.example") == ("one\ufffdtwo",), "PostgreSQL keeps no NUL"
