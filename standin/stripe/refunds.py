"""Refunds, never more than was captured."""

from standin.stripe.accounts import Ownership
from standin.stripe.events import Events
from standin.stripe.intents import Intents
from standin.stripe.state import State
from standin.stripe.upstream import Upstream
from standin.stripe.wire import ApiError, Call, Params, Reply, missing, page


class Refunds:
    """The Refund API, by PaymentIntent."""

    def __init__(
        self,
        upstream: Upstream,
        state: State,
        ownership: Ownership,
        intents: Intents,
        events: Events,
    ) -> None:
        self._upstream = upstream
        self._state = state
        self._ownership = ownership
        self._intents = intents
        self._events = events

    async def handle(self, call: Call) -> Reply:
        """Any request under /v1/refunds."""
        match call.method, call.segments[1:]:
            case "POST", ():
                return await self._create(call)
            case "GET", ():
                return Reply(200, page("/v1/refunds", self._of(call), call.params))
            case "GET", (key,):
                return Reply(200, self._one(call, key))
        raise ApiError(404, f"Unrecognized request URL ({call.method}: {call.path}).")

    async def _create(self, call: Call) -> Reply:
        key = str(call.params.get("payment_intent", ""))
        if not self._ownership.owns(call.account, key):
            raise missing("payment_intent", key)
        intent = await self._intents.show(call.account, key, {"expand": ["latest_charge"]})
        amount = self._allowed(call, intent)
        made = await self._upstream.post(
            "/v1/refunds",
            {"charge": intent["latest_charge"]["id"], "amount": amount},
        )
        refund = made | {
            "payment_intent": key,
            "metadata": call.params.get("metadata") or {},
            "reason": call.params.get("reason"),
        }
        # Kept on our side: localstripe makes a refund of what a partial capture releases, which
        # Stripe does not show as one.
        self._state.put("refund", call.account, refund["id"], refund)
        self._ownership.stamp(call.account, refund)
        self._events.record(call, "refund.created", refund)
        self._events.record(call, "charge.refunded", self._charge(call, intent))
        return Reply(200, refund)

    def _allowed(self, call: Call, intent: Params) -> int:
        left = self._intents.captured(call.account, intent) - self._refunded(call, intent["id"])
        if left == 0:
            raise ApiError(400, "There is nothing left to refund.", code="charge_already_refunded")
        amount = int(call.params.get("amount", left))
        if not 0 < amount <= left:
            raise ApiError(
                400,
                f"Refund amount ({amount}) is greater than unrefunded amount ({left}).",
                param="amount",
            )
        return amount

    def _refunded(self, call: Call, intent: str) -> int:
        return sum(
            int(refund["amount"])
            for refund in self._state.newest("refund", call.account)
            if refund["payment_intent"] == intent
        )

    def _charge(self, call: Call, intent: Params) -> Params:
        captured = self._intents.captured(call.account, intent)
        refunded = self._refunded(call, intent["id"])
        charge: Params = intent["latest_charge"] | {
            "amount_captured": captured,
            "amount_refunded": refunded,
            "refunded": captured == refunded,
        }
        charge.pop("refunds", None)
        return charge

    def _of(self, call: Call) -> list[Params]:
        wanted = call.params.get("payment_intent")
        return [
            refund
            for refund in self._state.newest("refund", call.account)
            if wanted in (None, refund["payment_intent"])
        ]

    def _one(self, call: Call, key: str) -> Params:
        refund = self._state.get("refund", call.account, key)
        if refund is None:
            raise missing("refund", key)
        return refund
