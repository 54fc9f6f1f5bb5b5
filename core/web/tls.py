"""May the proxy get a certificate for this name? Asked by it before it asks an authority.

Without this gate, anybody could point names here and have certificates made for them until the
authority's limits are used up. Only our own proxy may ask: it comes from this machine or from a
trusted network, and what it forwards for others bears ``X-Forwarded-For``. To everybody else
the address does not exist.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qs

from litestar.types import HTTPScope, Send

from core.origin import Networks
from core.scope import Directory
from core.web.hosts import normalise

PATH: Final = "/internal/tls-allowed"
_FORWARDED: Final = {b"x-forwarded-for", b"forwarded", b"via", b"x-real-ip"}


@dataclass
class Pace:
    """So many questions a second, since every unknown name costs a query."""

    per_second: int = 50
    clock: Callable[[], float] = time.monotonic
    _second: int = field(default=0, init=False)
    _asked: int = field(default=0, init=False)

    def allows(self) -> bool:
        """Whether another one may be answered now; it is counted."""
        second = int(self.clock())
        if second != self._second:
            self._second, self._asked = second, 0
        self._asked += 1
        return self._asked <= self.per_second


def is_asked(scope: HTTPScope, trusted: Networks) -> bool:
    """Whether this request is our proxy's own question."""
    if scope["path"] != PATH or scope["client"] is None:
        return False
    if any(name in _FORWARDED for name, _ in scope["headers"]):
        return False
    try:
        peer = ip_address(scope["client"][0].partition("%")[0])
    except ValueError:
        return False
    peer = getattr(peer, "ipv4_mapped", None) or peer
    return peer.is_loopback or any(peer in network for network in trusted)


async def answer(scope: HTTPScope, directory: Directory, pace: Pace, send: Send) -> None:
    """200 for a name at which somebody is served or was until lately, else 404; no body."""
    names = parse_qs(scope["query_string"].decode("latin-1")).get("domain", [])
    host = normalise(names[0]) if len(names) == 1 else None
    if not pace.allows():
        status = 429
    elif host and (await directory.by_host(host) or await directory.formerly(host)):
        status = 200
    else:
        status = 404
    headers = [(b"content-length", b"0"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
