"""The proxy: authenticates, orders faults, makes requests idempotent, and hands them on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from aiohttp import ClientSession, web

from standin.stripe import control, hosted
from standin.stripe.accounts import Ownership, account_of
from standin.stripe.child import LocalStripe
from standin.stripe.events import API_VERSION, Events
from standin.stripe.faults import Fault, Faults, RequestLog
from standin.stripe.idempotency import Idempotency
from standin.stripe.intents import Intents
from standin.stripe.methods import Methods
from standin.stripe.refunds import Refunds
from standin.stripe.saved import Saved
from standin.stripe.state import State
from standin.stripe.upstream import Upstream
from standin.stripe.webhooks import Webhooks
from standin.stripe.wire import ApiError, Call, Reply, new_id, page, parse

_log = logging.getLogger(__name__)

Answer = Callable[[Call], Awaitable[Reply]]


class Proxy:
    """One stand-in: its parts, and the way of a request through them."""

    def __init__(self, state: State, upstream: Upstream, http: ClientSession, base: str) -> None:
        self.state = state
        self.upstream = upstream
        self.faults = Faults()
        self.log = RequestLog()
        self.ownership = Ownership(state)
        self.idempotency = Idempotency(state)
        self.events = Events(state)
        self.webhooks = Webhooks(state, http)
        self.events.on_record = self.webhooks.event_recorded
        self.methods = Methods(upstream, state, self.ownership)
        self.saved = Saved(state, self.methods)
        self.intents = Intents(
            upstream, state, self.ownership, self.methods, self.saved, self.events, base
        )
        self.refunds = Refunds(upstream, state, self.ownership, self.intents, self.events)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request under /v1/."""
        request_id = new_id("req")
        fault = self.faults.take(request.method, request.path)
        if fault and fault.kind == "drop_before":
            self._note(request, request_id, None, "lost")
            return _hang_up(request)
        try:
            reply = await self._answer(request, request_id, fault)
        except ApiError as error:
            reply = error.reply
        if fault and fault.kind == "drop_after":
            self._note(request, request_id, reply, "reply lost")
            return _hang_up(request)
        self._note(request, request_id, reply, fault.kind if fault else None)
        return _response(request, request_id, reply)

    async def _answer(self, request: web.Request, request_id: str, fault: Fault | None) -> Reply:
        params = parse(await request.read(), request.query_string)
        account = account_of(
            request.headers.get("Authorization", ""), request.method, request.path, params
        )
        call = Call(
            account,
            request.method,
            request.path,
            params,
            request_id,
            request.headers.get("Idempotency-Key"),
        )

        async def run(call: Call) -> Reply:
            if fault and fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            if fault and fault.kind == "error":
                raise ApiError(fault.status, "An error ordered by a test.", kind="api_error")
            self.ownership.check(call.account, call.path, call.params)
            return await self._part(call)(call)

        return await self.idempotency.once(call, run)

    def _part(self, call: Call) -> Answer:
        match call.method, call.segments:
            case _, ("payment_intents", *_):
                return self.intents.handle
            case _, ("refunds", *_):
                return self.refunds.handle
            case _, ("events", *_):
                return self.events.handle
            case _, ("webhook_endpoints", *_):
                return self.webhooks.handle
            case "POST", ("payment_methods",):
                return self.methods.create
            case "POST", ("tokens",):
                return self.methods.tokenise
            case "GET", ("account",):
                return _account
        return self._forward

    async def _forward(self, call: Call) -> Reply:
        """What localstripe does well enough by itself; lists show the account's own only."""
        params = {k: v for k, v in call.params.items() if k != "expand"}
        if call.method == "GET" and len(call.segments) == 1:
            wanted = {k: v for k, v in params.items() if k not in ("limit", "starting_after")}
            everyone = await self.upstream.fetch_all(call.path, wanted)
            mine = [i for i in everyone if self.ownership.owns(call.account, i["id"])]
            return Reply(200, page(call.path, mine[::-1], params))
        reply = await self.upstream.send(call.method, call.path, params)
        if reply.status < 400:
            self.ownership.stamp(call.account, reply.body)
        return reply

    def _note(
        self, request: web.Request, request_id: str, reply: Reply | None, fault: str | None
    ) -> None:
        self.log.add(
            id=request_id,
            method=request.method,
            path=request.path,
            idempotency_key=request.headers.get("Idempotency-Key"),
            status=reply.status if reply else None,
            replayed=bool(reply and reply.headers),
            fault=fault,
        )


async def _account(call: Call) -> Reply:
    return Reply(
        200,
        {
            "id": call.account,
            "object": "account",
            "charges_enabled": True,
            "country": "PT",
            "default_currency": "eur",
            "details_submitted": True,
            "settings": {"dashboard": {"display_name": "Stand-in account"}},
            "type": "standard",
        },
    )


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _response(request: web.Request, request_id: str, reply: Reply) -> web.Response:
    headers = {
        "Request-Id": request_id,
        "Stripe-Version": request.headers.get("Stripe-Version", API_VERSION),
    } | reply.headers
    if key := request.headers.get("Idempotency-Key"):
        headers["Idempotency-Key"] = key
    if origin := request.headers.get("Origin"):
        headers["Access-Control-Allow-Origin"] = origin
    return web.json_response(reply.body, status=reply.status, headers=headers)


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        return _response(request, new_id("req"), error.reply)


async def serve(port: int, state_dir: Path, until: asyncio.Event) -> int:
    """Run the stand-in on 127.0.0.1 until told to stop; the exit code."""
    child = LocalStripe(state_dir)
    await child.start()
    state = State(state_dir / "proxy.sqlite")
    async with ClientSession() as http:
        proxy = Proxy(state, Upstream(http, child.base), http, f"http://localhost:{port}")
        runner = web.AppRunner(_app(proxy), access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        proxy.webhooks.resume()
        _log.info("Stripe stand-in on http://localhost:%d", port)
        told, died = asyncio.create_task(until.wait()), asyncio.create_task(child.wait())
        await asyncio.wait({told, died}, return_when=asyncio.FIRST_COMPLETED)
        code = 0 if told.done() else 1
        told.cancel()
        await runner.cleanup()
        await proxy.webhooks.stop()
    await child.stop()
    with suppress(asyncio.CancelledError):
        await died
    state.close()
    return code


def _app(proxy: Proxy) -> web.Application:
    async def script(request: web.Request) -> web.Response:
        body, kind = await proxy.upstream.script()
        return web.Response(body=body, content_type=kind, charset="utf-8")

    async def health(request: web.Request) -> web.Response:
        return web.json_response({"ready": True})

    app = web.Application(middlewares=[_errors])
    app.router.add_get("/js.stripe.com/v3/", script)
    app.router.add_get("/health", health)
    app.router.add_routes(control.routes(proxy.state, proxy.faults, proxy.log, proxy.webhooks))
    app.router.add_routes(hosted.routes(proxy.state, proxy.ownership, proxy.intents))
    app.router.add_route("*", "/v1/{rest:.*}", proxy.handle)
    return app
