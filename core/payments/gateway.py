"""Which providers a process can reach, and where they reach us; supplied when it starts."""

from __future__ import annotations

from typing import Protocol

from core.payments.provider import Provider


class Gateway(Protocol):
    """Opens providers with an account's keys."""

    @property
    def script_url(self) -> str:
        """The script that draws the card field (Stripe.js, or the stand-in's)."""

    def open(self, provider: str, secret_key: str) -> Provider:
        """The provider of that name, opened with these keys."""

    def hook_url(self, provider: str, endpoint: str) -> str:
        """The public address of a webhook endpoint."""

    async def close(self) -> None:
        """Close the connections of the running event loop."""


class NoGateway(RuntimeError):
    """The process was started without one: always a mistake of composition."""


_installed: list[Gateway] = []


def install(gateway: Gateway) -> None:
    """Make ``gateway`` this process's own: for the composition root and tests."""
    _installed[:] = [gateway]


def installed() -> Gateway:
    """This process's gateway.

    Raises:
        NoGateway: none was installed.
    """
    if not _installed:
        raise NoGateway("core.payments.gateway.install() was not called at start")
    return _installed[0]
