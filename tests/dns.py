"""A name server of the tests: real DNS over UDP, on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from tenants.domains.resolver import PublicDns

Address = tuple[str | Any, int]


@dataclass(eq=False)
class NameServer(asyncio.DatagramProtocol):
    """``zone`` has what it knows: ``zone["www.a.example", "CNAME"] = ["b.example"]``.

    It answers NXDOMAIN for other names; ``broken`` names are answered SERVFAIL, and while it is
    ``silent`` nothing is answered at all.
    """

    zone: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    silent: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0
    _transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: Address) -> None:
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        self.asked.append((name, kind))
        if self.silent:
            return
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA | dns.flags.AA
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif not self._fill(response, name, kind):
            response.set_rcode(dns.rcode.NXDOMAIN)
        assert self._transport is not None
        self._transport.sendto(response.to_wire(), addr)

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> bool:
        """Put in the records, following CNAMEs; False if the name does not exist."""
        known = {each for each, _ in self.zone}
        if name not in known:
            return False
        while (name, kind) not in self.zone and (name, "CNAME") in self.zone:
            target = self.zone[name, "CNAME"][0]
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{target}."))
            name = target
        values = self.zone.get((name, kind), [])
        if kind == "TXT":
            values = [f'"{each}"' for each in values]
        elif kind == "CNAME":
            values = [f"{each}." for each in values]
        if values:
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *values))
        return True

    def resolver(self, seconds: float = 2.0) -> PublicDns:
        """The software's own resolver, asking here."""
        return PublicDns((("127.0.0.1", self.port),), seconds=seconds)


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """One that runs while within."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
