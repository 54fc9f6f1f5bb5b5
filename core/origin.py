"""Where a request came from: the address and agent that sessions, throttles and audit note."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

UNKNOWN: Final = "unknown"

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


def came_from(origin: Origin | None) -> None:
    """Note the origin for the rest of the present context: for the guard and edges only."""
    _current.set(origin)


def networks(text: str) -> Networks:
    """The networks of a comma-separated list such as ``10.0.0.0/8, ::1``.

    Raises:
        ValueError: naming the part that is not a network.
    """
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def client_address(peer: str | None, headers: Mapping[str, str], trusted: Networks) -> str:
    """The address of whoever sent the request that reached us from ``peer``.

    ``X-Forwarded-For`` is a claim: each hop is believed only while the hop that reported it is
    one of our ``trusted`` proxies, read from the right, where our own proxies write.
    """
    address = _parse(peer)
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
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
