"""The bank's page for 3-D Secure, for callers that send their user to an address."""

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from aiohttp import web

from standin.stripe.accounts import Ownership
from standin.stripe.intents import Intents
from standin.stripe.state import State
from standin.stripe.wire import ApiError, Call, Params, missing, new_id

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>3-D Secure (stand-in)</title>
<h1>3-D Secure (stand-in)</h1>
<p>Your bank asks whether you are paying {amount} {currency}.</p>
<form method="post">
<button name="success" value="true">Complete authentication</button>
<button name="success" value="false">Fail authentication</button>
</form></html>"""


def routes(state: State, ownership: Ownership, intents: Intents) -> list[web.RouteDef]:
    """The hosted step's page and its answer."""

    async def intent_of(request: web.Request) -> tuple[str, Params]:
        key = request.match_info["id"]
        account = state.owner("object", key)
        if account is None:
            raise missing("payment_intent", key)
        intent = await intents.show(account, key)
        if request.query.get("secret") != intent["client_secret"]:
            raise ApiError(401, "The client secret does not match.")
        return account, intent

    async def show(request: web.Request) -> web.Response:
        _, intent = await intent_of(request)
        amount = f"{intent['amount']} (minor units)"
        page = _PAGE.format(amount=amount, currency=escape(intent["currency"].upper()))
        return web.Response(text=page, content_type="text/html")

    async def answer(request: web.Request) -> web.Response:
        account, intent = await intent_of(request)
        success = (await request.post()).get("success") == "true"
        params = {"client_secret": intent["client_secret"], "success": success}
        path = f"/v1/payment_intents/{intent['id']}/_authenticate"
        call = Call(account, "POST", path, params, new_id("req"))
        reply = await intents.handle(call)
        moved = reply.status == 200 and reply.body["status"] in ("succeeded", "requires_capture")
        raise web.HTTPSeeOther(_back(intent, "succeeded" if moved else "failed"))

    return [web.get("/3ds/{id}", show), web.post("/3ds/{id}", answer)]


def _back(intent: Params, outcome: str) -> str:
    parts = urlsplit(intent["return_url"])
    query = [
        *parse_qsl(parts.query),
        ("payment_intent", intent["id"]),
        ("payment_intent_client_secret", intent["client_secret"]),
        ("redirect_status", outcome),
    ]
    return urlunsplit(parts._replace(query=urlencode(query)))
