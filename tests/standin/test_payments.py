"""The Stripe stand-in's payments and accounts, through the official SDK."""

import json
from typing import Any

import httpx
import pytest
import stripe

from tests.standin.conftest import StandIn
from tests.standin.orders import CARD, authorise


async def test_manual_capture_shows_what_can_be_captured_and_what_was_received(
    client: stripe.StripeClient,
) -> None:
    """An authorised amount is capturable; a partial capture is what was received."""
    held = await authorise(client)
    assert (held.status, held.amount_capturable, held.amount_received) == (
        "requires_capture",
        10_000,
        0,
    )
    taken = await client.v1.payment_intents.capture_async(held.id, {"amount_to_capture": 7_000})
    assert (taken.status, taken.amount_capturable, taken.amount_received) == ("succeeded", 0, 7_000)


async def test_refunds_stop_at_what_was_captured(client: stripe.StripeClient) -> None:
    """After a partial capture only that part can be refunded, and no more than once."""
    held = await authorise(client)
    await client.v1.payment_intents.capture_async(held.id, {"amount_to_capture": 7_000})
    await client.v1.refunds.create_async({"payment_intent": held.id, "amount": 6_000})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        await client.v1.refunds.create_async({"payment_intent": held.id, "amount": 1_001})
    await client.v1.refunds.create_async({"payment_intent": held.id})
    listed = await client.v1.refunds.list_async({"payment_intent": held.id})
    assert sorted(refund.amount for refund in listed.data) == [1_000, 6_000]


@pytest.mark.parametrize(
    ("method", "decline_code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
    ],
)
async def test_a_test_card_is_declined_as_documented(
    client: stripe.StripeClient, method: str, decline_code: str
) -> None:
    """A declining test card raises CardError with its decline code and the intent."""
    with pytest.raises(stripe.CardError) as caught:
        await authorise(client, payment_method=method)
    error: Any = caught.value.error
    assert error.decline_code == decline_code
    assert error.payment_intent["status"] == "requires_payment_method"


async def test_a_canceled_intent_cannot_be_captured(client: stripe.StripeClient) -> None:
    """Capturing after voiding is refused as an unexpected state."""
    held = await authorise(client)
    await client.v1.payment_intents.cancel_async(held.id)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.payment_intents.capture_async(held.id)
    assert caught.value.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("success", "status"), [("true", "requires_capture"), ("false", "requires_payment_method")]
)
async def test_three_d_secure_by_a_hosted_page(
    client: stripe.StripeClient, success: str, status: str
) -> None:
    """With a return address the user is sent to a page that leads back with the outcome."""
    held = await authorise(
        client,
        payment_method="pm_card_authenticationRequired",
        return_url="http://shop.localhost/back?booking=1",
    )
    assert held.status == "requires_action"
    url = held.to_dict()["next_action"]["redirect_to_url"]["url"]
    async with httpx.AsyncClient() as browser:
        shown = await browser.get(url)
        assert "Complete authentication" in shown.text
        answer = await browser.post(url, data={"success": success})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("http://shop.localhost/back?booking=1&")
    assert (await client.v1.payment_intents.retrieve_async(held.id)).status == status


async def test_three_d_secure_by_the_page_script(
    standin: StandIn, client: stripe.StripeClient, key: str
) -> None:
    """What the stand-in for Stripe.js sends (card to token, then the 3-D Secure answer) pays."""
    public = key.replace("sk_", "pk_")
    card = CARD | {"number": "4000002760003184"}
    form = {f"card[{name}]": value for name, value in card.items()} | {"key": public}
    async with httpx.AsyncClient(base_url=standin.base) as browser:
        token = (await browser.post("/v1/tokens", data=form)).json()
        data = {"type": "card", "card": {"token": token["id"]}}
        held = await authorise(client, payment_method=None, payment_method_data=data)
        assert held.status == "requires_action"
        answer = await browser.post(
            f"/v1/payment_intents/{held.id}/_authenticate?success=true",
            content=json.dumps({"key": public, "client_secret": held.client_secret}),
            headers={"Origin": "http://shop.localhost"},
        )
    assert answer.json()["status"] == "requires_capture"
    assert answer.headers["Access-Control-Allow-Origin"] == "http://shop.localhost"


async def test_the_page_script_is_handed_on(standin: StandIn) -> None:
    """The stand-in for Stripe.js comes from the running localstripe."""
    async with httpx.AsyncClient(base_url=standin.base) as browser:
        reply = await browser.get("/js.stripe.com/v3/")
    assert reply.headers["Content-Type"].startswith("application/javascript")
    assert "createToken" in reply.text


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"number": "4242424242424241"}, "incorrect_number"),
        ({"exp_year": "2001"}, "invalid_expiry_year"),
        ({"cvc": "12"}, "invalid_cvc"),
    ],
)
async def test_a_mistyped_card_is_refused_by_name(
    standin: StandIn, key: str, changed: dict[str, str], code: str
) -> None:
    """A wrong card number, year or code is named to the page."""
    body = {"key": key.replace("sk_", "pk_"), "card": CARD | changed}
    async with httpx.AsyncClient(base_url=standin.base) as browser:
        reply = await browser.post("/v1/tokens", json=body)
    assert reply.status_code == 402
    assert reply.json()["error"]["code"] == code


async def test_a_year_may_be_typed_in_full(standin: StandIn, key: str) -> None:
    """The page script writes "20" before the year: 2034 arrives as 202034, and is 2034."""
    body = {"key": key.replace("sk_", "pk_"), "card": CARD | {"exp_year": "202034"}}
    async with httpx.AsyncClient(base_url=standin.base) as browser:
        reply = await browser.post("/v1/tokens", json=body)
    assert reply.status_code == 200, reply.text


async def test_accounts_do_not_see_each_other(standin: StandIn, key: str) -> None:
    """Another account's object does not exist, in lists, by id, or as a parameter."""
    mine, other = standin.client(key), standin.client(f"{key}b")
    held = await authorise(mine)
    method = held.payment_method
    assert (await other.v1.payment_intents.list_async()).data == []
    assert (await other.v1.events.list_async()).data == []
    for attempt in (
        other.v1.payment_intents.retrieve_async(held.id),
        other.v1.payment_intents.capture_async(held.id),
        other.v1.refunds.create_async({"payment_intent": held.id}),
        authorise(other, payment_method=method),
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            await attempt
        assert caught.value.code == "resource_missing"


@pytest.mark.parametrize("key", ["sk_live_x", "pk_test_x", "sk_test_invalid", "nonsense"])
async def test_other_keys_are_refused(standin: StandIn, key: str) -> None:
    """Only a secret test key opens the API."""
    with pytest.raises(stripe.AuthenticationError):
        await standin.client(key).v1.accounts.retrieve_current_async()


async def test_found_by_metadata(client: stripe.StripeClient) -> None:
    """An intent whose id was never heard is found by what we wrote on it."""
    made = await authorise(client, metadata={"payment": "p-1"})
    await authorise(client, metadata={"payment": "p-2"})
    found = await client.v1.payment_intents.search_async({"query": "metadata['payment']:'p-1'"})
    assert [intent.id for intent in found.data] == [made.id]
