"""Where a request came from: the address and agent that sessions, throttles and audit note."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

UNKNOWN: Final = "unknown"
_LINE: Final = 64
"""Bits of an IPv6 address that name the line; the rest its owner may choose (RFC 6177)."""
_NEIGHBOURHOOD_4: Final = 24
_NEIGHBOURHOOD_6: Final = 48

Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """The sender's IP address and what its browser calls itself."""

    address: str
    agent: str = ""


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current() -> Origin | None:
    """The origin of the request being served; None in a job."""
    return _current.get()


def line() -> str:
    """What allowances count the present request against: the sender's IPv4 address, or the /64
    of an IPv6 one, in which a single machine has more addresses than there are attempts."""
    address = _parse(_current_address())
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _LINE), strict=False))
    return str(address) if address is not None else UNKNOWN


def neighbourhood() -> str | None:
    """Where the present request came from, without telling whose line it was: the /24 of an IPv4
    address, the /48 of an IPv6 one. None in a job."""
    address = _parse(_current_address())
    if address is None:
        return None
    kept = _NEIGHBOURHOOD_6 if isinstance(address, IPv6Address) else _NEIGHBOURHOOD_4
    return str(ip_network((address, kept), strict=False))


def _current_address() -> str | None:
    origin = _current.get()
    return origin.address if origin is not None else None


def came_from(origin: Origin | None) -> None:
    """Note the origin for the rest of the present context: for the guard and edges only."""
    _current.set(origin)


def networks(text: str) -> Networks:
    """The networks of a comma-separated list such as ``10.0.0.0/8, ::1``.

    Raises:
        ValueError: naming the part that is not a network.
    """
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Networks) -> str:
    """The address of whoever sent the request that reached us from ``peer``.

    ``forwarded`` are the lines of ``X-Forwarded-For`` in their order: some proxies write into the
    line that came, others add one below. It is a claim: each hop is believed only while the hop
    that reported it is one of our ``trusted`` proxies, read from the end, where our own write.
    """
    address = _parse(peer)
    hops = [hop.strip() for hop in ",".join(forwarded).split(",") if hop.strip()]
    while address is not None and hops and any(address in network for network in trusted):
        claimed = _parse(hops.pop())
        if claimed is None:
            break
        address = claimed
    return str(address) if address is not None else UNKNOWN


def _parse(text: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
