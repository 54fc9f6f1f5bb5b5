"""What the public DNS says. An interface, and the real one.

No answer and an empty answer are two things: a name server that is down must not cost a
business its domain, so what cannot be found out raises ``DnsAway``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

import dns.asyncresolver
import dns.exception
import dns.inet
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from core.breaker import Breaker, CircuitOpen

SECONDS: Final = 4.0
"""For which one question is waited for, over all name servers."""


class DnsAway(Exception):
    """It cannot be found out now."""


class Resolver(Protocol):
    """Asks DNS. A name or record that does not exist is an empty answer."""

    async def txt(self, name: str) -> tuple[str, ...]:
        """The TXT records of ``name``, each joined.

        Raises:
            DnsAway
        """

    async def cname(self, name: str) -> str | None:
        """Where the CNAME record of ``name`` leads, without the trailing dot.

        Raises:
            DnsAway
        """

    async def addresses(self, name: str) -> frozenset[str]:
        """The IPv4 and IPv6 addresses of ``name``, wherever its CNAMEs lead.

        Raises:
            DnsAway
        """


@dataclass(frozen=True, slots=True)
class PublicDns:
    """By dnspython, from ``servers`` (address and port), or else those of this machine."""

    servers: tuple[tuple[str, int], ...] = ()
    seconds: float = SECONDS
    breaker: Breaker = field(default_factory=Breaker)

    async def txt(self, name: str) -> tuple[str, ...]:
        """See ``Resolver``."""
        found = await self._ask(name, "TXT")
        texts = (b"".join(each.strings).decode("utf-8", "replace") for each in found)
        return tuple(each.replace("\0", "\ufffd") for each in texts)  # PostgreSQL keeps none

    async def cname(self, name: str) -> str | None:
        """See ``Resolver``."""
        found = await self._ask(name, "CNAME")
        return found[0].target.to_text(omit_final_dot=True).lower() if found else None

    async def addresses(self, name: str) -> frozenset[str]:
        """See ``Resolver``."""
        found = [*await self._ask(name, "A"), *await self._ask(name, "AAAA")]
        return frozenset(each.address for each in found)

    async def _ask(self, name: str, kind: str) -> list:  # type: ignore[type-arg]  # dnspython's records have no common attributes
        try:
            asked = dns.name.from_text(f"{name}.")
        except dns.exception.DNSException:  # no name at all, as strangers' records include
            return []
        try:
            self.breaker.enter()
        except CircuitOpen as problem:
            raise DnsAway from problem
        try:
            answer = await self._resolver().resolve(
                asked, kind, raise_on_no_answer=False, search=False, lifetime=self.seconds
            )
        except dns.resolver.NXDOMAIN:
            found = []
        except dns.resolver.NoNameservers as problem:  # they answered: this domain is broken
            self.breaker.succeeded()
            raise DnsAway from problem
        except (dns.exception.DNSException, OSError) as problem:
            self.breaker.failed()
            raise DnsAway from problem
        else:
            found = list(answer.rrset or ())
        self.breaker.succeeded()
        return found

    def _resolver(self) -> dns.asyncresolver.Resolver:
        resolver = dns.asyncresolver.Resolver(configure=not self.servers)
        if self.servers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(address, port) for address, port in self.servers
            ]
        resolver.timeout = self.seconds / 2
        return resolver


def servers(text: str) -> tuple[tuple[str, int], ...]:
    """Name servers of a list such as ``9.9.9.9, 127.0.0.1:5353, [::1]:53``.

    Raises:
        ValueError: naming the part that is no address.
    """
    return tuple(_server(part.strip()) for part in text.split(",") if part.strip())


def _server(part: str) -> tuple[str, int]:
    address, _, port = part.rpartition(":") if _has_port(part) else (part, "", "53")
    address = address.strip("[]")
    if not dns.inet.is_address(address) or not port.isdecimal():
        raise ValueError(f"{part!r} is not the address of a name server")
    return address, int(port)


def _has_port(part: str) -> bool:
    return part.count(":") == 1 or "]:" in part


_installed: list[Resolver] = []


def install(resolver: Resolver) -> None:
    """Make ``resolver`` this process's own: for the composition root and tests."""
    _installed[:] = [resolver]


def installed() -> Resolver:
    """This process's resolver.

    Raises:
        RuntimeError: none was installed.
    """
    if not _installed:
        raise RuntimeError("tenants.domains.resolver.install() was not called at start")
    return _installed[0]
