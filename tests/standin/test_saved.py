"""Cards that are kept for later, through the official SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.standin.conftest import StandIn
from tests.standin.orders import authorise

DAY = 86_400


async def kept(client: stripe.StripeClient, method: str = "pm_card_visa") -> Any:
    """A payment whose card is kept under a customer of its own."""
    customer = await client.v1.customers.create_async({"metadata": {"who": "ana"}})
    made = await authorise(
        client,
        payment_method=method,
        customer=customer.id,
        setup_future_usage="off_session",
        expand=["latest_charge"],
    )
    return made


async def again(client: stripe.StripeClient, first: Any, **more: Any) -> Any:
    """The same card, without its holder."""
    given = {"customer": first.customer, "payment_method": first.payment_method}
    return await authorise(client, **(given | {"off_session": True} | more))


async def test_a_kept_card_is_used_again_without_its_holder(client: stripe.StripeClient) -> None:
    """Any number of times; the bank holds an amount longer if the holder was there."""
    first = await kept(client)
    second = await again(client, first, expand=["latest_charge"])
    assert (first.status, second.status) == ("requires_capture", "requires_capture")
    assert second.payment_method == first.payment_method
    held = [
        each.latest_charge.payment_method_details.card.capture_before - each.created
        for each in (first, second)
    ]
    assert [round(each / DAY, 1) for each in held] == [7.0, 4.8]


async def test_a_card_that_was_not_kept_is_not_used_again(client: stripe.StripeClient) -> None:
    customer = await client.v1.customers.create_async({})
    once = await authorise(client, customer=customer.id)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        await again(client, once)
    first = await kept(client)
    with pytest.raises(stripe.InvalidRequestError, match="attached to a customer"):
        await again(client, first, customer=customer.id)


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("pm_card_authenticationRequired", "authentication_required"),
        ("pm_card_authenticationRequiredOnSetup", "requires_capture"),
    ],
)
async def test_a_bank_that_wants_to_ask_again_declines(
    client: stripe.StripeClient, standin: StandIn, method: str, status: str
) -> None:
    """Both ask when the card is kept; one bank asks each time."""
    held = await kept(client, method)
    assert held.status == "requires_action"
    path = f"/v1/payment_intents/{held.id}/_authenticate"
    given = {"client_secret": held.client_secret, "success": "true"}
    await client.raw_request_async("post", path, **given)
    held = await client.v1.payment_intents.retrieve_async(held.id)
    assert held.status == "requires_capture"
    try:
        outcome = (await again(client, held)).status
    except stripe.CardError as refused:
        outcome = refused.code
        intent: Any = refused.error.payment_intent if refused.error else None
        assert intent["status"] == "requires_payment_method"
    assert outcome == status


async def test_a_bank_may_refuse_a_kept_card_later(
    client: stripe.StripeClient, standin: StandIn
) -> None:
    first = await kept(client)
    path = f"/cards/{first.payment_method}/refusal"
    standin.control("POST", path, {"code": "insufficient_funds"})
    with pytest.raises(stripe.CardError) as refused:
        await again(client, first)
    assert refused.value.error is not None
    assert refused.value.error.decline_code == "insufficient_funds"
    standin.control("POST", path, {})
    assert (await again(client, first)).status == "requires_capture"
