"""Payment methods and tokens: test cards behave as Stripe documents them."""

from standin.stripe import cards
from standin.stripe.accounts import Ownership
from standin.stripe.state import State
from standin.stripe.upstream import Upstream
from standin.stripe.wire import ApiError, Call, Params, Reply, missing


class Methods:
    """Creates payment methods in localstripe and remembers how each must be refused."""

    def __init__(self, upstream: Upstream, state: State, ownership: Ownership) -> None:
        self._upstream = upstream
        self._state = state
        self._ownership = ownership

    async def create(self, call: Call) -> Reply:
        """POST /v1/payment_methods."""
        card = call.params.get("card")
        if isinstance(card, dict) and "token" in card:
            return Reply(200, await self._of_token(call.account, str(card["token"])))
        method = await self._create(call.account, call.params)
        return Reply(200, method)

    async def tokenise(self, call: Call) -> Reply:
        """POST /v1/tokens: what the page's card element calls."""
        card, refusal = cards.for_localstripe(cards.checked(call.params.get("card") or {}))
        token = await self._upstream.post("/v1/tokens", {"card": card})
        self._ownership.stamp(call.account, token)
        self._remember(call.account, token["card"]["id"], card, refusal)
        self._state.put("token", call.account, token["id"], {"card": token["card"]["id"]})
        return Reply(200, token)

    async def resolve(self, account: str, params: Params) -> str | None:
        """The id localstripe knows the request's payment method by: a named test card, the data
        of a token, or an id as it is."""
        data = params.pop("payment_method_data", None)
        name = params.pop("payment_method", None)
        if isinstance(data, dict):
            card = data.get("card") or {}
            if "token" in card:
                return await self._card_of_token(account, str(card["token"]))
            return str((await self._create(account, data))["id"])
        if name in cards.NAMED:
            number = cards.NAMED[name]
            return await self.like(account, number)
        if name and str(name).startswith("pm_card_"):
            raise missing("PaymentMethod", name)
        return str(name) if name else None

    def refusal(self, account: str, method: str | None) -> Params | None:
        """How the bank refuses this payment method, if it does."""
        return self._state.get("refusal", account, method) if method else None

    def number(self, account: str, method: str) -> str:
        """The number of a card that was entered."""
        return str((self._state.get("card", account, method) or {}).get("number", ""))

    def shown(self, account: str, method: str) -> Params:
        """What a charge shows of a card."""
        return {"brand": "visa", "last4": self.number(account, method)[-4:] or "4242"}

    async def like(self, account: str, number: str) -> str:
        """Another card, with this number."""
        made = await self._create(account, {"type": "card", "card": cards.card_params(number)})
        return str(made["id"])

    async def _create(self, account: str, params: Params) -> Params:
        card: Params = {}
        refusal = None
        if params.get("type") == "card":
            card, refusal = cards.for_localstripe(cards.checked(params.get("card") or {}))
            params = params | {"card": card}
        method = await self._upstream.post("/v1/payment_methods", params)
        self._ownership.stamp(account, method)
        self._remember(account, method["id"], card, refusal)
        return method

    def _remember(
        self, account: str, method: str, card: Params, refusal: cards.Refusal | None
    ) -> None:
        self._state.put("card", account, method, {"number": card.get("number", "")})
        if refusal is not None:
            self._state.put("refusal", account, method, cards.body_of(refusal))

    async def _card_of_token(self, account: str, token: str) -> str:
        kept = self._state.get("token", account, token)
        if kept is None:
            raise missing("token", token)
        if kept.get("used"):
            raise ApiError(
                400,
                f"You cannot use a Stripe token more than once: {token}.",
                code="token_already_used",
            )
        self._state.put("token", account, token, kept | {"used": True})
        return str(kept["card"])

    async def _of_token(self, account: str, token: str) -> Params:
        # localstripe accepts a token's card wherever a payment method is expected.
        card = await self._card_of_token(account, token)
        return {"id": card, "object": "payment_method", "type": "card", "card": {}}
