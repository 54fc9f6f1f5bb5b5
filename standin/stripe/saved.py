"""Cards kept for later, as Stripe documents it ("Save a card during payment", "Off-session").

A payment with `setup_future_usage` attaches its card to the customer once the bank has agreed.
Off session nobody is there to answer the bank: a card that asks each time is declined with
`authentication_required`, one that asked when it was set up goes through.
"""

from standin.stripe import cards
from standin.stripe.methods import Methods
from standin.stripe.state import Body, State
from standin.stripe.wire import ApiError, Params

DAYS_HELD = 7 * 86_400
"""Seconds for which Visa holds an amount when the cardholder is there."""
DAYS_HELD_OFF_SESSION = 4 * 86_400 + 18 * 3600
_ASKED = cards.Refusal(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)


class Saved:
    """Which cards are attached to which customers, and what their banks say without them."""

    def __init__(self, state: State, methods: Methods) -> None:
        self._state = state
        self._methods = methods

    def check(self, account: str, method: str, params: Params, off_session: bool) -> None:
        """Refuse what Stripe refuses of a kept card."""
        kept = self._state.get("attached", account, method)
        customer = params.get("customer")
        if kept and kept["customer"] != customer:
            raise ApiError(
                400,
                "The payment method you provided is attached to a customer so for security"
                " purposes you must provide the customer in the request.",
                param="customer",
            )
        if off_session and str(params.get("confirm", "false")).lower() != "true":
            raise ApiError(400, "`off_session` needs `confirm=true`.", param="off_session")
        if off_session and kept is None:
            raise ApiError(
                400,
                "The provided PaymentMethod was previously used with a PaymentIntent without"
                " Customer attachment, or was detached from a Customer. It may not be used again."
                " To use a PaymentMethod multiple times, you must attach it to a Customer first.",
                code="payment_method_unexpected_state",
            )

    async def for_bank(self, account: str, method: str) -> tuple[str, Body | None]:
        """The card by which localstripe behaves as this one's bank does off session, and how it
        refuses, if it does."""
        number = self._methods.number(account, method)
        refusal = self._state.get("bank_refuses", account, method)
        if refusal is None and number in cards.ASK_EACH_TIME:
            refusal = cards.body_of(_ASKED)
        if refusal is not None:
            return await self._methods.like(account, cards.REFUSED_BY_LOCALSTRIPE), refusal
        if number in cards.ASK_ONCE:
            return await self._methods.like(account, cards.NAMED["pm_card_visa"]), None
        return method, None

    def attach(self, account: str, intent: Params) -> None:
        """Keep the card of a payment that went well, if it was to be kept."""
        wanted = intent.get("setup_future_usage") and intent.get("customer")
        if wanted and intent["status"] in ("requires_capture", "succeeded"):
            kept = {"customer": intent["customer"]}
            self._state.put("attached", account, intent["payment_method"], kept)

    def charge(self, account: str, intent: Params, charge: Params, *, off_session: bool) -> Params:
        """The charge of an intent with its card, and until when the bank holds the amount."""
        shown = self._methods.shown(account, intent["payment_method"])
        if intent["status"] == "requires_capture":
            held = DAYS_HELD_OFF_SESSION if off_session else DAYS_HELD
            shown = shown | {"capture_before": int(charge["created"]) + held}
        return charge | {"payment_method_details": {"type": "card", "card": shown}}
