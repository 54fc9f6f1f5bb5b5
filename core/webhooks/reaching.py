"""Requests to addresses that strangers chose, without lending them our place in the network.

Whoever may name an address could have us ask what only we can reach: this machine, its network,
a cloud's metadata. So a name is resolved here, every address that it has must be a public one,
and the connection goes to the address that was looked at: a second answer of the DNS, a moment
later, changes nothing. Redirects are answers like any other, and no proxy of the environment is
used.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

import httpx

from core.errors import Invalid
from core.i18n import _
from core.origin import Networks

CONNECT: Final = 3.0
WHOLE: Final = 15.0
"""Seconds for a whole request, whatever it consists of."""
MOST_READ: Final = 64_000
"""Bytes of an answer; an endpoint that says more than that has said enough."""
KEPT: Final = 1_000
"""Characters of an answer that the log keeps."""
_AGENT: Final = "Atrium-Webhooks/1"

# Public by the registries, and still ways into networks behind them.
_TRANSLATED: Final = tuple(
    ip_network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "192.88.99.0/24")
)

_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")

Address = IPv4Address | IPv6Address


class Unreached(Exception):
    """No answer came; the message is a code that ``views`` has words for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request went: ``status`` and ``answer``, or the ``problem``; and how long it took."""

    milliseconds: int
    status: int | None = None
    answer: str | None = None
    problem: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether the endpoint says that it has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint says that it wants no more, for good."""
        return self.status == 410


@dataclass(frozen=True, slots=True)
class Reach:
    """``allowed`` are networks that may be reached though they are not public, by plain http
    too: what an operator says for development and tests."""

    allowed: Networks = ()

    def check(self, url: str) -> None:
        """Refuse an address that could never be asked, while it is typed.

        Raises:
            Invalid: naming what is wrong with ``url``.
        """
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            raise Invalid(_("Write a whole address, such as https://…"), field="url") from None
        if parsed.scheme != "https" and not (parsed.scheme == "http" and self.allowed):
            raise Invalid(_("The address must begin with https://"), field="url")
        if not parsed.host or parsed.userinfo or parsed.fragment:
            raise Invalid(_("Leave names, passwords and # out of the address"), field="url")
        if parsed.port is not None and parsed.port != 443 and parsed.port < 1024:
            raise Invalid(_("Use port 443, or one from 1024 on"), field="url")
        try:
            literal = ip_address(parsed.host)
        except ValueError:
            if not _NAME.fullmatch(parsed.raw_host.decode("ascii")):
                raise Invalid(_("Write a whole address, such as https://…"), field="url") from None
            return
        if not self._may_reach(literal):
            raise Invalid(_("This address is not reachable from the internet"), field="url")

    async def post(self, url: str, headers: Mapping[str, str], body: str) -> Outcome:
        """Send ``body``; whatever comes of it is an outcome."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(WHOLE):
                status, answer = await self._post(httpx.URL(url), headers, body)
        except Unreached as problem:
            return Outcome(_since(begun), problem=str(problem))
        except (TimeoutError, httpx.TimeoutException):
            return Outcome(_since(begun), problem="timeout")
        except ssl.SSLError:
            return Outcome(_since(begun), problem="tls")
        except httpx.ConnectError as problem:
            return Outcome(_since(begun), problem="tls" if _is_tls(problem) else "connection")
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return Outcome(_since(begun), problem="connection")
        return Outcome(_since(begun), status=status, answer=answer)

    async def _post(self, url: httpx.URL, headers: Mapping[str, str], body: str) -> tuple[int, str]:
        address = await self._pinned(url)
        sent = {
            **headers,
            "host": url.netloc.decode("ascii"),
            "content-type": "application/json",
            "user-agent": _AGENT,
            "accept-encoding": "identity",
        }
        # A client of its own: pooled connections are told apart by address alone, and a proxy's
        # address serves many names, of which one was proven when the connection was made.
        async with (
            httpx.AsyncClient(
                verify=_trusted(),
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(WHOLE, connect=CONNECT),
            ) as client,
            client.stream(
                "POST",
                url.copy_with(host=str(address)),
                headers=sent,
                content=body.encode(),
                extensions={"sni_hostname": url.raw_host.decode("ascii")},
            ) as response,
        ):
            return response.status_code, await _beginning(response)

    async def _pinned(self, url: httpx.URL) -> Address:
        """The address to connect to.

        Raises:
            Unreached: there is none, or one of them is not public.
        """
        if url.scheme != "https" and not self.allowed:
            raise Unreached("not_public")
        loop = asyncio.get_running_loop()
        host = url.raw_host.decode("ascii")
        try:
            found = await loop.getaddrinfo(host, url.port or 443, type=1)  # SOCK_STREAM
        except (OSError, UnicodeError):
            raise Unreached("no_address") from None
        addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
        if not addresses:
            raise Unreached("no_address")
        # All of them: a name with a public and a private address waits for the second try.
        if not all(self._may_reach(each) for each in addresses):
            raise Unreached("not_public")
        if url.scheme == "http" and not all(self._is_allowed(each) for each in addresses):
            raise Unreached("not_public")
        return addresses[0]

    def _may_reach(self, address: Address) -> bool:
        return is_public(address) or self._is_allowed(address)

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self.allowed)


def is_public(address: Address) -> bool:
    """Whether an address is anybody's on the internet: none of this machine, of a network of
    ours, or of a translator that leads back into one."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return address.is_global and not any(address in network for network in _TRANSLATED)


async def _beginning(response: httpx.Response) -> str:
    """The first of what was answered; the rest is not waited for."""
    read = b""
    async for part in response.aiter_raw():
        read += part
        if len(read) > MOST_READ:
            break
    text = read[: 4 * KEPT].decode("utf-8", "replace")
    return text.replace("\0", "\ufffd")[:KEPT]  # PostgreSQL keeps no NUL


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _is_tls(problem: BaseException) -> bool:
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)


_installed: list[Reach] = []


def install(reach: Reach) -> None:
    """Say what endpoints this process may reach: for the composition root."""
    _installed[:] = [reach]


def installed() -> Reach:
    """What endpoints this process may reach; without a word, public ones alone."""
    return _installed[0] if _installed else Reach()
