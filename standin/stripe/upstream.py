"""Speaking to the localstripe process."""

from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession

from standin.stripe.wire import ApiError, Params, Reply

# localstripe wants any secret key; accounts are kept apart on our side.
_HEADERS = {"Authorization": "Bearer sk_test_standin"}
_EVERYTHING = 1_000_000


class Upstream:
    """localstripe's API, one JSON request at a time."""

    def __init__(self, http: ClientSession, base: str) -> None:
        self._http = http
        self._base = base

    async def send(self, method: str, path: str, params: Params | None = None) -> Reply:
        """Forward a request; a refusal is a reply like any other."""
        url = self._base + path
        body = params if method == "POST" else None
        if params and method != "POST":
            url += "?" + urlencode(params)
        async with self._http.request(method, url, json=body, headers=_HEADERS) as reply:
            if reply.content_type != "application/json":
                raise ApiError(500, "localstripe failed; see its log.", kind="api_error")
            return Reply(reply.status, await reply.json())

    async def fetch(self, path: str, params: Params | None = None) -> Params:
        """GET one object, raising Stripe's error when it cannot be had."""
        return _good(await self.send("GET", path, params))

    async def post(self, path: str, params: Params | None = None) -> Params:
        """POST, raising Stripe's error when refused."""
        return _good(await self.send("POST", path, params or {}))

    async def fetch_all(self, path: str, params: Params) -> list[Params]:
        """Everything in a list, the oldest first, of every account."""
        found = await self.fetch(path, params | {"limit": _EVERYTHING})
        items: list[Params] = found["data"]
        return items

    async def script(self) -> tuple[bytes, str]:
        """Its stand-in for Stripe.js, as it ships it, and the content type."""
        async with self._http.get(f"{self._base}/js.stripe.com/v3/") as reply:
            return await reply.read(), reply.content_type


def _good(reply: Reply) -> Params:
    if reply.status >= 400:
        error: dict[str, Any] = reply.body["error"]
        raise ApiError(
            reply.status,
            str(error.pop("message", "Refused.")),
            kind=str(error.pop("type", "invalid_request_error")),
            **error,
        )
    return reply.body
