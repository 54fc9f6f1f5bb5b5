"""The edge: one plain ASGI application that decides, for every request, whose it is.

Host → tenant → the platform's application or the tenants' → plugin gate → the tenant's turn
→ one transaction.
It stands before routing on purpose: a tenant without a plugin must not learn from a 405 or a
redirect that the plugin's routes exist. Pages for hosts that are unknown or at rest are
routes of their own, which only the edge can reach.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import structlog
from litestar import Litestar
from litestar.types import HTTPScope, LifeSpanReceive, LifeSpanSend, Message, Receive, Scope, Send

from core.admission import Admission, Crowded, Turn
from core.db import Databases, is_away
from core.origin import Networks
from core.scope import TENANT_ZERO, Directory, Tenant
from core.web import health, observe, streams, tls, unit
from core.web.hosts import normalise

log = structlog.get_logger(__name__)

API_PREFIX: Final = "/api/v1/"
INTERNAL: Final = "/.atrium/"
INTERNAL_API: Final = "/api/.atrium/"
"""Paths below these are shown by the edge alone; from outside they do not exist."""
_AS_SENT: Final = "/%?=&;:@!$'()*+,-._~[]"
SETTINGS: Final = "settings/"
"""Below it, core serves each plugin's settings under the plugin's own prefix."""
LOOKS: Final = ("/static/", "/brand.css")
"""What error pages are drawn with: the same at every host."""

_AWAY: Final = (
    b'{"type":"about:blank","status":503,"title":"The service is briefly unavailable",'
    b'"detail":"Please try again in a moment."}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """``gates`` maps the first path segment of each plugin's pages to the plugin's name."""

    platform: Litestar
    tenants: Litestar
    directory: Directory
    databases: Databases
    gates: Mapping[str, str]
    checks: Mapping[str, health.Check]
    admission: Admission
    lifespan: Callable[[], AbstractAsyncContextManager[None]]
    trusted: Networks = ()
    pace: tls.Pace = field(default_factory=tls.Pace)
    open_streams: streams.Open = field(default_factory=streams.Open)
    access_log: bool = True

    async def __call__(
        self, scope: Scope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        """Serve one ASGI connection."""
        match scope["type"]:
            case "lifespan":
                await self._live(receive, send)  # type: ignore[arg-type]  # told by the type
            case "http":
                await self._serve(scope, receive, send)  # type: ignore[arg-type]  # likewise
            case _:
                await send({"type": "websocket.close", "code": 1000, "reason": ""})  # type: ignore[arg-type]  # ASGI's own words

    async def _live(self, receive: LifeSpanReceive, send: LifeSpanSend) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            try:
                await stack.enter_async_context(self.lifespan())
                await stack.enter_async_context(self.platform.lifespan())
                await stack.enter_async_context(self.tenants.lifespan())
            except Exception as problem:
                log.exception("start.failed")
                await send({"type": "lifespan.startup.failed", "message": str(problem)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path in health.PATHS:
            await health.answer(path, self.checks, send)
            return
        with observe.request(scope, access_log=self.access_log) as seen:
            try:
                if tls.is_asked(scope, self.trusted):
                    await tls.answer(scope, self.directory, self.pace, seen(send))
                    return
                tenant = await self._tenant_of(scope)
                if (way := await self._elsewhere(scope, tenant)) is not None:
                    await _answer_moved(way, seen(send))
                    return
                app = self._route(scope, tenant)
                zero = await self.directory.by_id(TENANT_ZERO) if tenant is None else tenant
            except Exception as problem:
                if not is_away(problem):
                    raise
                log.warning("edge.directory_away", error=type(problem).__name__)
                await _answer_away(seen(send))
                return
            assert zero is not None
            observe.serve_tenant(zero)
            await self._admit(app, zero, scope, receive, seen(send))

    async def _admit(
        self, app: Litestar, tenant: Tenant, scope: HTTPScope, receive: Receive, send: Send
    ) -> None:
        """Serve the request when it is its tenant's turn, or say that there are too many."""
        try:
            turn = await self.admission.enter(tenant.id)
        except Crowded:
            _show(scope, "crowded")
            await unit.serve(app, self.databases, tenant, scope, receive, send)
            return
        try:
            receive, send = _aside(turn, receive), _ending(turn, send)
            watch = streams.Watch(
                self.databases,
                self.open_streams,
                tenant.id,
                scope,
                lambda: self._led(scope, tenant),
            )
            await watch.serve(
                lambda send: unit.serve(app, self.databases, tenant, scope, receive, send), send
            )
        finally:
            turn.end()

    async def _led(self, scope: HTTPScope, tenant: Tenant) -> Tenant | None:
        """``tenant`` as it is now, unless the request would be led elsewhere than before."""
        again = scope.copy()
        now = await self._tenant_of(again)
        if now is None or now.id != tenant.id:
            return None
        self._route(again, now)
        return now if again["path"] == scope["path"] else None

    async def _tenant_of(self, scope: HTTPScope) -> Tenant | None:
        path = scope["path"]
        if path.startswith("/webhooks/"):
            return await self._tenant_of_endpoint(path)
        host = _host(scope)
        return await self.directory.by_host(host) if host else None

    async def _elsewhere(self, scope: HTTPScope, tenant: Tenant | None) -> str | None:
        """The same address at the host that a tenant has moved to, or prefers to this one.

        Programs may go on calling the API where they do: few would send their token along.
        """
        host = _host(scope)
        if host is None or scope["path"].startswith("/webhooks/"):
            return None
        if tenant is None:
            tenant = await self.directory.formerly(host)
        elif tenant.host in {None, host} or scope["path"].startswith("/api/"):
            return None
        if tenant is None:
            return None
        path, query = scope["raw_path"].split(b"?")[0], scope["query_string"]
        if not path.startswith(b"/"):  # "@evil.example" would end up in the host's place
            path = b"/"
        asked = path + (b"?" + query if query else b"")
        return self.directory.url_of(tenant, quote(asked, safe=_AS_SENT))

    async def _tenant_of_endpoint(self, path: str) -> Tenant | None:
        """Vendors call one address; ``/webhooks/stripe/<tenant id>.<token>`` names the tenant."""
        owner = path.rpartition("/")[2].partition(".")[0]
        try:
            return await self.directory.by_id(UUID(hex=owner))
        except ValueError:
            return None

    def _route(self, scope: HTTPScope, tenant: Tenant | None) -> Litestar:
        path = scope["path"]
        if tenant is None:
            if not path.startswith(LOOKS):
                _show(scope, "unknown-host")
            return self.platform
        if tenant.status != "active" and not path.startswith(_served_at_rest(tenant)):
            _show(scope, "at-rest")
        elif path.startswith((INTERNAL, INTERNAL_API)) or "//" in path:
            # Routing reads "//" as "/": what it would find, the gate below has not seen.
            _show(scope, "nowhere")
        if tenant.is_platform:
            return self.platform
        below = path.removeprefix(API_PREFIX) if path.startswith(API_PREFIX) else path[1:]
        plugin = self.gates.get(below.removeprefix(SETTINGS).partition("/")[0])
        if plugin is not None and plugin not in tenant.plugins:
            _show(scope, "nowhere")
        return self.tenants


def _served_at_rest(tenant: Tenant) -> tuple[str, ...]:
    """What is served even so: vendors do not ask twice for long what became of a webhook."""
    return (*LOOKS, "/webhooks/") if tenant.status in {"suspended", "closed"} else LOOKS


def _host(scope: HTTPScope) -> str | None:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return normalise(hosts[0].decode("latin-1")) if len(hosts) == 1 else None


def _aside(turn: Turn, receive: Receive) -> Receive:
    """``receive`` that holds no place meanwhile: a client may send as slowly as it likes."""

    async def receiving() -> Any:
        with turn.aside():
            return await receive()

    return receiving


def _ending(turn: Turn, send: Send) -> Send:
    """``send`` that ends the turn as the answer begins: the transaction is over by then."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            turn.end()
        await send(message)

    return sending


def _show(scope: HTTPScope, page: str) -> None:
    """Send the request to an internal page instead, whatever it asked for."""
    scope["path"] = (INTERNAL_API if scope["path"].startswith("/api/") else INTERNAL) + page
    scope["raw_path"] = scope["path"].encode()
    scope["method"] = "GET"


async def _answer_moved(way: str, send: Callable[[Message], Awaitable[None]]) -> None:
    headers = [
        (b"location", way.encode("ascii")),
        (b"cache-control", b"no-store"),  # browsers keep a 308 for good, and names come free again
        (b"content-length", b"0"),
    ]
    await send({"type": "http.response.start", "status": 308, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _answer_away(send: Callable[[Message], Awaitable[None]]) -> None:
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"retry-after", b"2"),
        (b"cache-control", b"no-store"),
        (b"content-length", str(len(_AWAY)).encode()),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": _AWAY, "more_body": False})
