"""/_control: what tests steer by. Loopback only, like everything here."""

import json
from dataclasses import asdict

from aiohttp import web

from standin.stripe.faults import Faults, RequestLog
from standin.stripe.state import State
from standin.stripe.webhooks import Webhooks, trouble_of
from standin.stripe.wire import ApiError, Params


def routes(state: State, faults: Faults, log: RequestLog, webhooks: Webhooks) -> list[web.RouteDef]:
    """The control endpoints over these parts."""

    async def order_fault(request: web.Request) -> web.Response:
        return web.json_response(asdict(faults.order(await _body(request))), status=201)

    async def clear_faults(request: web.Request) -> web.Response:
        faults.clear()
        return web.json_response({})

    async def list_requests(request: web.Request) -> web.Response:
        return web.json_response({"data": log.entries})

    async def clear_requests(request: web.Request) -> web.Response:
        log.entries.clear()
        return web.json_response({})

    async def set_trouble(request: web.Request) -> web.Response:
        webhooks.trouble = trouble_of(await _body(request))
        return web.json_response(asdict(webhooks.trouble))

    async def show_webhooks(request: web.Request) -> web.Response:
        return web.json_response(asdict(webhooks.trouble) | {"unfinished": webhooks.unfinished})

    async def release(request: web.Request) -> web.Response:
        wish = await _body(request)
        sent = webhooks.release(
            str(wish.get("order", "given")),
            int(wish.get("duplicates", 1)),
            int(wish.get("seed", 0)),
        )
        return web.json_response({"sent": sent})

    async def resend(request: web.Request) -> web.Response:
        key = request.match_info["id"]
        account = state.owner("event", key)
        event = state.get("event", account, key) if account else None
        if account is None or event is None:
            raise ApiError(404, "No such event.")
        webhooks.again(account, event)
        return web.json_response({})

    async def bank_refuses(request: web.Request) -> web.Response:
        """From now on the bank refuses a kept card off session; without a code, no longer."""
        key, wish = request.match_info["id"], await _body(request)
        account = state.owner("card", key)
        if account is None:
            raise ApiError(404, "No such card.")
        state.delete("bank_refuses", account, key)
        if wish.get("code"):
            said = {"decline_code": wish["code"], "message": "Your card was declined."}
            state.put("bank_refuses", account, key, wish | said)
        return web.json_response({})

    return [
        web.post("/_control/cards/{id}/refusal", bank_refuses),
        web.post("/_control/faults", order_fault),
        web.delete("/_control/faults", clear_faults),
        web.get("/_control/requests", list_requests),
        web.delete("/_control/requests", clear_requests),
        web.get("/_control/webhooks", show_webhooks),
        web.post("/_control/webhooks", set_trouble),
        web.post("/_control/webhooks/release", release),
        web.post("/_control/events/{id}/resend", resend),
    ]


async def _body(request: web.Request) -> Params:
    text = await request.text()
    try:
        wish = json.loads(text or "{}")
    except ValueError as error:
        raise ApiError(400, "The body is not JSON.") from error
    if not isinstance(wish, dict):
        raise ApiError(400, "The body is not an object.")
    return wish
