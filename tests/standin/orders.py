"""An ordinary payment, to vary in tests."""

from typing import Any

import stripe

ORDER: Any = {
    "amount": 10_000,
    "currency": "eur",
    "payment_method": "pm_card_visa",
    "payment_method_types": ["card"],
    "confirm": True,
    "capture_method": "manual",
}
CARD = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2034", "cvc": "123"}


async def authorise(
    client: stripe.StripeClient, *, idempotency_key: str | None = None, **more: Any
) -> stripe.PaymentIntent:
    """Authorise 100 euros, or as said; a parameter of None is left out."""
    params: Any = {name: value for name, value in (ORDER | more).items() if value is not None}
    options: Any = {"idempotency_key": idempotency_key} if idempotency_key else {}
    return await client.v1.payment_intents.create_async(params, options)
