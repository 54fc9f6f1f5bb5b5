"""PaymentIntents: what localstripe lacks, and Stripe's refusals where it would crash."""

from collections.abc import Awaitable, Callable

from standin.stripe.accounts import Ownership
from standin.stripe.events import Events
from standin.stripe.methods import Methods
from standin.stripe.saved import Saved
from standin.stripe.state import State
from standin.stripe.upstream import Upstream
from standin.stripe.wire import ApiError, Call, Params, Reply, created_within, earliest, page

_FOR_LOCALSTRIPE = {"amount", "currency", "customer", "metadata", "capture_method", "confirm"}
_SHOWN = {
    "description",
    "receipt_email",
    "statement_descriptor_suffix",
    "return_url",
    "setup_future_usage",
}
_CANCELLABLE = {
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
}
_BECAME = {
    "requires_action": "payment_intent.requires_action",
    "requires_capture": "payment_intent.amount_capturable_updated",
    "succeeded": "payment_intent.succeeded",
    "canceled": "payment_intent.canceled",
    "requires_payment_method": "payment_intent.payment_failed",
}


class Intents:
    """The PaymentIntent API of one proxy."""

    def __init__(
        self,
        upstream: Upstream,
        state: State,
        ownership: Ownership,
        methods: Methods,
        saved: Saved,
        events: Events,
        public_base: str,
    ) -> None:
        self._upstream = upstream
        self._state = state
        self._ownership = ownership
        self._methods = methods
        self._saved = saved
        self._events = events
        self._public_base = public_base

    async def handle(self, call: Call) -> Reply:
        """Any request under /v1/payment_intents."""
        _, *rest = call.segments
        match call.method, rest:
            case "POST", []:
                return await self._create(call)
            case "GET", []:
                return await self._list(call)
            case "GET", ["search"]:
                return await self._search(call)
            case "GET", [key]:
                return Reply(200, await self.show(call.account, key, call.params))
            case "POST", [key]:
                return await self._update(call, key)
            case "POST", [key, verb]:
                return await self._act(call, key, verb)
        raise ApiError(404, f"Unrecognized request URL ({call.method}: {call.path}).")

    async def show(self, account: str, key: str, params: Params | None = None) -> Params:
        """One intent as Stripe would show it."""
        raw = await self._upstream.fetch(f"/v1/payment_intents/{key}")
        return self._dressed(account, raw, params or {})

    def captured(self, account: str, intent: Params) -> int:
        """What has been received, in minor units."""
        if intent["status"] != "succeeded":
            return 0
        kept = self._state.get("captured", account, intent["id"])
        return int(kept["amount"]) if kept else int(intent["amount"])

    async def _create(self, call: Call) -> Reply:
        params = dict(call.params)
        _require_amount(params)
        method = await self._methods.resolve(call.account, params)
        off_session = str(params.get("off_session", "false")).lower() == "true"
        asked, refusal = method, None
        if method:
            self._saved.check(call.account, method, params, off_session)
        if method and off_session:
            asked, refusal = await self._saved.for_bank(call.account, method)
        sent = {name: params[name] for name in _FOR_LOCALSTRIPE & params.keys()}
        confirm = str(sent.pop("confirm", "false")).lower() == "true"
        if asked:
            sent["payment_method"] = asked
        made = await self._upstream.post("/v1/payment_intents", sent)
        key = made["id"]
        shown = {name: params[name] for name in _SHOWN & params.keys()}
        shown["capture_method"] = params.get("capture_method", "automatic_async")
        if asked != method:
            shown["payment_method"] = method
        if off_session:
            self._state.put("off_session", call.account, key, refusal or {})
        self._state.put("shown", call.account, key, shown)
        self._state.put("metadata", call.account, key, made["metadata"])
        self._ownership.stamp(call.account, made)
        self._emit(call, "payment_intent.created", self._dressed(call.account, made, {}))
        if confirm:
            return await self._confirmed(call, key)
        return Reply(200, await self.show(call.account, key, call.params))

    async def _confirmed(self, call: Call, key: str) -> Reply:
        confirm = f"/v1/payment_intents/{key}/confirm"
        return await self._moved(call, key, lambda: self._upstream.send("POST", confirm, {}))

    async def _moved(self, call: Call, key: str, move: Callable[[], Awaitable[Reply]]) -> Reply:
        """Make a change of state, tell the event it caused, and answer as Stripe does."""
        reply = await move()
        intent = await self.show(call.account, key, call.params)
        self._ownership.stamp(call.account, reply.body)
        if reply.status >= 400 and reply.status != 402:
            return reply
        self._saved.attach(call.account, intent)
        if name := _BECAME.get(intent["status"]):
            self._emit(call, name, intent)
        if reply.status == 402:
            return Reply(402, {"error": self._refusal(call.account, reply, intent)})
        return Reply(200, intent)

    def _refusal(self, account: str, reply: Reply, intent: Params) -> Params:
        error: Params = reply.body["error"] | {"type": "card_error", "payment_intent": intent}
        return error | (self._refused(account, intent) or {})

    def _refused(self, account: str, intent: Params) -> Params | None:
        """How the bank refused, or will."""
        said = self._state.get("off_session", account, intent["id"])
        return said or self._methods.refusal(account, intent["payment_method"])

    async def _update(self, call: Call, key: str) -> Reply:
        wanted = {k: v for k, v in call.params.items() if k in {"metadata", "amount"}}
        if wanted:
            changed = await self._upstream.post(f"/v1/payment_intents/{key}", wanted)
            self._state.put("metadata", call.account, key, changed["metadata"])
        return Reply(200, await self.show(call.account, key, call.params))

    async def _act(self, call: Call, key: str, verb: str) -> Reply:
        intent = await self.show(call.account, key)
        base = f"/v1/payment_intents/{key}"
        match verb:
            case "confirm":
                self._require(intent, verb, {"requires_confirmation", "requires_payment_method"})
                params = dict(call.params)
                if method := await self._methods.resolve(call.account, params):
                    await self._upstream.post(base, {"payment_method": method})
                return await self._confirmed(call, key)
            case "capture":
                return await self._capture(call, intent)
            case "cancel":
                self._require(intent, verb, _CANCELLABLE)
                return await self._moved(
                    call, key, lambda: self._upstream.send("POST", f"{base}/cancel", {})
                )
            case "_authenticate":
                return await self._authenticate(call, intent)
        raise ApiError(404, f"Unrecognized request URL ({call.method}: {call.path}).")

    async def _capture(self, call: Call, intent: Params) -> Reply:
        self._require(intent, "capture", {"requires_capture"})
        amount = int(call.params.get("amount_to_capture") or intent["amount"])
        if not 0 < amount <= intent["amount"]:
            raise ApiError(
                400,
                f"The amount_to_capture must be between 1 and {intent['amount']}.",
                code="amount_too_large",
                param="amount_to_capture",
            )
        self._state.put("captured", call.account, intent["id"], {"amount": amount})
        path = f"/v1/payment_intents/{intent['id']}/capture"
        return await self._moved(
            call,
            intent["id"],
            lambda: self._upstream.send("POST", path, {"amount_to_capture": amount}),
        )

    async def _authenticate(self, call: Call, intent: Params) -> Reply:
        """The 3-D Secure step's outcome, said by the page (or the hosted page below)."""
        self._require(intent, "authenticate", {"requires_action"})
        params = {name: call.params.get(name) for name in ("client_secret", "success")}
        path = f"/v1/payment_intents/{intent['id']}/_authenticate"
        return await self._moved(
            call, intent["id"], lambda: self._upstream.send("POST", path, params)
        )

    async def _list(self, call: Call) -> Reply:
        created = call.params.get("created")
        keys = self._state.made("metadata", call.account, since=earliest(created))
        shown = [await self.show(call.account, key) for key in keys]
        items = [
            item
            for item in shown
            if created_within(item, created)
            and call.params.get("customer") in (None, item["customer"])
        ]
        return Reply(200, page("/v1/payment_intents", items, call.params))

    async def _search(self, call: Call) -> Reply:
        """The one query form reconciliation needs: metadata['name']:'value'."""
        query = str(call.params.get("query", ""))
        name, _, value = query.removeprefix("metadata[").partition("]:")
        name, value = name.strip("\"'"), value.strip("\"'")
        keys = self._state.having("metadata", call.account, name, value)
        found = [await self.show(call.account, key) for key in keys]
        return Reply(
            200, page("/v1/payment_intents/search", found, {}) | {"object": "search_result"}
        )

    def _dressed(self, account: str, raw: Params, params: Params) -> Params:
        intent = raw | (self._state.get("shown", account, raw["id"]) or {})
        charge = intent.pop("latest_charge", None)
        intent.pop("charges", None)
        status = intent["status"]
        intent["amount_received"] = self.captured(account, intent)
        intent["amount_capturable"] = intent["amount"] if status == "requires_capture" else 0
        intent["payment_method_types"] = ["card"]
        expanded = "latest_charge" in (params.get("expand") or [])
        if charge and expanded:
            alone = self._state.get("off_session", account, raw["id"]) is not None
            charge = self._saved.charge(account, intent, charge, off_session=alone)
        intent["latest_charge"] = charge if expanded or not charge else charge["id"]
        refusal = self._refused(account, intent)
        if intent["last_payment_error"] and refusal:
            intent["last_payment_error"] |= refusal | {"type": "card_error"}
        if intent["next_action"] and intent.get("return_url"):
            intent["next_action"] = self._hosted(intent)
        return intent

    def _hosted(self, intent: Params) -> Params:
        """A caller that gave a return address gets a page of the bank's to send its user to."""
        url = f"{self._public_base}/3ds/{intent['id']}?secret={intent['client_secret']}"
        return {
            "type": "redirect_to_url",
            "redirect_to_url": {"url": url, "return_url": intent["return_url"]},
        }

    def _emit(self, call: Call, name: str, intent: Params) -> None:
        self._events.record(call, name, intent)

    @staticmethod
    def _require(intent: Params, verb: str, states: set[str]) -> None:
        if intent["status"] not in states:
            raise ApiError(
                400,
                f"You cannot {verb} this PaymentIntent because it has a status of"
                f" {intent['status']}.",
                code="payment_intent_unexpected_state",
                payment_intent=intent,
            )


def _require_amount(params: Params) -> None:
    text = str(params.get("amount", ""))
    if not text.isdigit() or int(text) < 1:
        raise ApiError(
            400, "Invalid positive integer.", param="amount", code="parameter_invalid_integer"
        )
    if not str(params.get("currency", "")).isalpha():
        raise ApiError(400, "Missing required param: currency.", param="currency")
