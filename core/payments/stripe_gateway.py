"""The gateway of production and development: Stripe, or the stand-in at another address."""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

import httpx
import stripe

from core.breaker import Breaker
from core.payments.provider import Provider
from core.payments.stripe_provider import StripeProvider

TIMEOUT: Final = httpx.Timeout(10.0, connect=3.0)

# Nothing about this machine travels with our requests.
stripe.enable_telemetry = False


class StripeGateway:
    """Opens accounts at Stripe's API at ``api_base``; webhooks come to ``public_url``.

    One HTTP client per event loop, since connections belong to the loop that opened them.
    """

    def __init__(
        self,
        *,
        api_base: str,
        script_url: str,
        public_url: str,
        timeout: httpx.Timeout = TIMEOUT,
        retry_for: float = 20.0,
    ) -> None:
        self._api_base = api_base.rstrip("/")
        self._script_url = script_url
        self._public_url = public_url.rstrip("/")
        self._timeout = timeout
        self._retry_for = retry_for
        self.breaker = Breaker()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, stripe.HTTPXClient]
        self._clients = WeakKeyDictionary()

    @property
    def script_url(self) -> str:
        """Stripe.js, or the stand-in for it."""
        return self._script_url

    def open(self, provider: str, secret_key: str) -> Provider:
        """Stripe with these keys."""
        if provider != "stripe":
            raise ValueError(f"there is no payment provider {provider!r}")
        client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": self._api_base},
            max_network_retries=0,  # ours are counted in one budget
            http_client=self._http(),
        )
        return StripeProvider(client, self.breaker, retry_for=self._retry_for)

    def hook_url(self, provider: str, endpoint: str) -> str:
        """Vendors call the portal's host; the endpoint names the tenant."""
        return f"{self._public_url}/webhooks/{provider}/{endpoint}"

    async def close(self) -> None:
        """Close this loop's connections."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close_async()  # type: ignore[no-untyped-call]  # the SDK's

    def _http(self) -> stripe.HTTPXClient:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = stripe.HTTPXClient(timeout=self._timeout)
        return self._clients[loop]
