"""The Stripe stand-in in bad weather: idempotency keys, faults, webhooks, kills."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import stripe
from aiohttp import web

from tests.standin.conftest import Receiver, StandIn, free_port, start, stop
from tests.standin.orders import ORDER, authorise


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A server that receives webhooks."""
    receiver = Receiver()

    async def take(request: web.Request) -> web.Response:
        if receiver.refuse:
            receiver.refuse -= 1
            return web.Response(status=500)
        receiver.got.append((await request.read(), request.headers["Stripe-Signature"]))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    receiver.url = f"http://shop.localhost:{port}/hook"
    yield receiver
    await runner.cleanup()


async def register(client: stripe.StripeClient, receiver: Receiver, *names: str) -> str:
    params: Any = {"url": receiver.url, "enabled_events": list(names) or ["*"]}
    made = await client.v1.webhook_endpoints.create_async(params)
    assert made.secret is not None
    return made.secret


async def test_the_same_idempotency_key_gives_the_same_answer(
    client: stripe.StripeClient,
) -> None:
    """A repeated request makes nothing new and says that it is a replay."""
    first = await authorise(client, idempotency_key="k1")
    again = await authorise(client, idempotency_key="k1")
    assert again.id == first.id
    reply: Any = again.last_response
    assert reply.headers["Idempotent-Replayed"] == "true"
    assert len((await client.v1.payment_intents.list_async()).data) == 1


async def test_a_decline_is_replayed_too(client: stripe.StripeClient) -> None:
    """The answer kept for a key may be a refusal by the bank."""
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            await authorise(client, payment_method="pm_card_chargeDeclined", idempotency_key="k1")
    assert len((await client.v1.payment_intents.list_async()).data) == 1


async def test_a_key_used_for_something_else_is_refused(client: stripe.StripeClient) -> None:
    """Other parameters under the same key are an idempotency error."""
    await authorise(client, idempotency_key="k1")
    with pytest.raises(stripe.IdempotencyError):
        await authorise(client, idempotency_key="k1", amount=1)


async def test_keys_of_two_accounts_do_not_meet(standin: StandIn, key: str) -> None:
    """The same idempotency key under another account's API key is another request."""
    first = await authorise(standin.client(key), idempotency_key="k1")
    other = await authorise(standin.client(f"{key}b"), idempotency_key="k1")
    assert first.id != other.id


async def test_a_key_in_progress_is_a_conflict(
    standin: StandIn, client: stripe.StripeClient
) -> None:
    """A second request while the first still runs gets 409."""
    standin.fault("delay", "/v1/payment_intents$", seconds=1)
    first = asyncio.create_task(authorise(client, idempotency_key="k1"))
    await asyncio.sleep(0.4)
    with pytest.raises(stripe.StripeError) as caught:
        await authorise(client, idempotency_key="k1")
    error: Any = caught.value.error
    assert (caught.value.http_status, error.code) == (409, "idempotency_key_in_use")
    assert (await first).status == "requires_capture"


async def test_a_lost_request_did_nothing(standin: StandIn, client: stripe.StripeClient) -> None:
    """drop_before: the connection closes and nothing was made."""
    standin.fault("drop_before", "/v1/payment_intents$")
    with pytest.raises(stripe.APIConnectionError):
        await authorise(client, idempotency_key="k1")
    assert (await client.v1.payment_intents.list_async()).data == []


async def test_a_lost_reply_was_done_and_can_be_asked_again(
    standin: StandIn, client: stripe.StripeClient
) -> None:
    """drop_after: the connection closes, but the same key finds what was made."""
    standin.fault("drop_after", "/v1/payment_intents$")
    with pytest.raises(stripe.APIConnectionError):
        await authorise(client, idempotency_key="k1")
    again = await authorise(client, idempotency_key="k1")
    listed = await client.v1.payment_intents.list_async()
    assert [intent.id for intent in listed.data] == [again.id]


async def test_an_ordered_error_is_not_carried_out(
    standin: StandIn, client: stripe.StripeClient
) -> None:
    """error: the status asked for, for as many requests as asked for, and nothing made."""
    standin.fault("error", "/v1/payment_intents$", method="POST", status=503, times=2)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as caught:
            await authorise(client)
        assert caught.value.http_status == 503
    assert (await client.v1.payment_intents.list_async()).data == []
    assert (await authorise(client)).status == "requires_capture"


async def test_a_slow_answer_outlives_an_impatient_client(
    standin: StandIn, client: stripe.StripeClient, key: str
) -> None:
    """delay: the client times out, the request is carried out all the same."""
    standin.fault("delay", "/v1/payment_intents$", seconds=0.8)
    with pytest.raises(stripe.APIConnectionError):
        await authorise(standin.client(key, timeout=0.3), idempotency_key="k1")
    await asyncio.sleep(0.8)
    assert len((await client.v1.payment_intents.list_async()).data) == 1


async def test_webhooks_verify_and_tell_the_story(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    """The SDK verifies each delivery with the endpoint's secret, shown once."""
    secret = await register(client, receiver)
    held = await authorise(client)
    await client.v1.payment_intents.capture_async(held.id)
    await receiver.wait_for(3)
    verify: Any = stripe.Webhook.construct_event
    assert {verify(body, signed, secret).type for body, signed in receiver.got} == {
        "payment_intent.created",
        "payment_intent.amount_capturable_updated",
        "payment_intent.succeeded",
    }
    with pytest.raises(stripe.SignatureVerificationError):
        verify(*receiver.got[0], "whsec_other")
    [listed] = (await client.v1.webhook_endpoints.list_async()).data
    assert "secret" not in listed.to_dict()


async def test_a_refused_delivery_comes_again(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    """Anything but 2xx is tried again, with the same event id."""
    receiver.refuse = 2
    await register(client, receiver, "payment_intent.succeeded")
    await authorise(client, capture_method="automatic")
    await receiver.wait_for(1)
    assert receiver.names() == ["payment_intent.succeeded"]
    assert receiver.refuse == 0


async def test_deliveries_can_be_held_doubled_and_shuffled(
    standin: StandIn, client: stripe.StripeClient, receiver: Receiver
) -> None:
    """Held events are released ten times over and out of order."""
    await register(client, receiver)
    standin.control("POST", "/webhooks", {"hold": True})
    held = await authorise(client)
    await client.v1.payment_intents.capture_async(held.id)
    assert receiver.got == []
    standin.control("POST", "/webhooks/release", {"order": "shuffle", "seed": 4, "duplicates": 10})
    await receiver.wait_for(30)
    ids = [json.loads(body)["id"] for body, _ in receiver.got]
    assert sorted(map(ids.count, set(ids))) == [10, 10, 10]
    assert receiver.names()[:10] != ["payment_intent.created"] * 10


async def test_a_webhook_to_the_outside_is_refused(client: stripe.StripeClient) -> None:
    """A stand-in calls nobody but this machine."""
    with pytest.raises(stripe.InvalidRequestError, match="this machine"):
        await client.v1.webhook_endpoints.create_async(
            {"url": "https://shop.example/hook", "enabled_events": ["*"]}
        )


def test_no_process_outlives_a_kill_and_state_outlives_it(tmp_path: Path) -> None:
    """After kill -9 the localstripe child ends by itself, and a new start finds the payment."""
    port = free_port()
    first = start(tmp_path, port)
    held = first.client("sk_test_a").v1.payment_intents.create(ORDER)
    asyncio.run(first.close_clients())
    children = Path(f"/proc/{first.process.pid}/task/{first.process.pid}/children")
    [child] = [Path("/proc", pid) for pid in children.read_text().split()]
    first.process.kill()
    first.process.wait()
    deadline = time.monotonic() + 5
    while child.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.exists()
    second = start(tmp_path, port)
    try:
        found = second.client("sk_test_a").v1.payment_intents.retrieve(held.id)
        assert found.status == "requires_capture"
    finally:
        asyncio.run(second.close_clients())
        stop(second)
